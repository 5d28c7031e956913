// Placeholder of the seam to what survives a restart; see the session room.
#pragma once
namespace nd::session {
class Store;
}
