#include "keeper/provider.h"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "base/text.h"
#include "keeper/messages.h"

namespace nd::keeper {

namespace {

namespace urls = boost::urls;
namespace ip = boost::asio::ip;

constexpr std::size_t kMaxUrl = 1024;
constexpr std::size_t kMaxHost = 253;  // RFC 1035, as text

bool IsAlphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

bool OnlyAlphanumericOr(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return IsAlphanumeric(c) || others.find(c) != std::string_view::npos; });
}

bool IsHostName(std::string_view host) {
  if (host.empty() || host.size() > kMaxHost || !OnlyAlphanumericOr(host, "-.")) return false;
  // Labels are not empty: no leading, trailing or doubled dot.
  return host.front() != '.' && host.back() != '.' && host.find("..") == std::string_view::npos;
}

// Plain segments only: what is configured is what stands in the request line, without decoding or dot removal between.
bool IsPlainPath(std::string_view path) {
  // Boost.URL 1.81 reads "http://127.0.0.1.example" as the address 127.0.0.1 with the path ".example".
  if (!path.empty() && path.front() != '/') return false;
  if (!OnlyAlphanumericOr(path, "-._~/") || path.find("//") != std::string_view::npos) return false;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = path.substr(begin, end - begin);
    if (segment == "." || segment == "..") return false;
    begin = end + 1;
  }
  return true;
}

Error BadProvider(std::string_view what) {
  return InvalidInput(
      "--provider: " + std::string(what) +
      " Write NAME=BASE_URL, e.g. openai=https://api.openai.com or local=http://127.0.0.1:11434/v1; put "
      "openai: or anthropic: before the URL to say which protocol it speaks.");
}

std::string_view ProtocolPath(Protocol protocol, std::string_view path) {
  const bool ends_in_v1 = path == "/v1" || path.ends_with("/v1");
  if (protocol == Protocol::kAnthropic) return ends_in_v1 ? "" : "/v1";
  return path.empty() ? "/v1" : "";
}

Result<std::uint16_t> ReadPort(const urls::url_view& url, ProviderConfig::Transport transport) {
  if (!url.has_port())
    return std::uint16_t{transport == ProviderConfig::Transport::kTls ? std::uint16_t{443} : std::uint16_t{80}};
  if (url.port().empty() || url.port_number() == 0) return BadProvider("the port must be a number from 1 to 65535.");
  return url.port_number();
}

const std::string* FindPassed(const std::vector<std::pair<std::string, std::string>>& passed, std::string_view name) {
  for (const auto& [key, value] : passed) {
    if (EqualIgnoreCase(key, name)) return &value;
  }
  return nullptr;
}

}  // namespace

Result<ProviderConfig> ProviderConfig::Parse(std::string_view text) {
  ProviderConfig provider;
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return BadProvider("there is no '='.");
  provider.name = std::string(text.substr(0, equals));
  if (!IsName(provider.name, kMaxProviderName) || provider.name != LowerAscii(provider.name)) {
    return BadProvider("the name must be 1 to 32 of a-z, 0-9, '.', '_', '-'.");
  }
  std::string_view rest = text.substr(equals + 1);
  provider.protocol = provider.name == "anthropic" ? Protocol::kAnthropic : Protocol::kOpenAi;
  if (rest.starts_with("openai:")) {
    provider.protocol = Protocol::kOpenAi;
    rest.remove_prefix(7);
  } else if (rest.starts_with("anthropic:")) {
    provider.protocol = Protocol::kAnthropic;
    rest.remove_prefix(10);
  }
  if (rest.size() > kMaxUrl) return BadProvider("the URL is longer than 1024 characters.");

  const auto parsed = urls::parse_uri(rest);
  if (!parsed.has_value()) return BadProvider("that is not an absolute URL.");
  const urls::url_view url = parsed.value();
  const std::string scheme = LowerAscii(std::string_view(url.scheme()));
  if (scheme != "https" && scheme != "http")
    return BadProvider("the URL must begin with https:// (or http:// for loopback).");
  provider.transport = scheme == "https" ? Transport::kTls : Transport::kPlain;
  if (!url.has_authority()) return BadProvider("the URL names no host.");
  if (url.has_userinfo()) return BadProvider("the URL must not hold a user name or password.");
  if (url.has_query() || url.has_fragment()) return BadProvider("the URL must not have a query or fragment.");

  switch (url.host_type()) {
    case urls::host_type::ipv4:
    case urls::host_type::ipv6: {
      boost::system::error_code ec;
      provider.literal = ip::make_address(std::string(url.host_address()), ec);
      if (ec || (provider.literal->is_v6() && provider.literal->to_v6().scope_id() != 0)) {
        return BadProvider("the host is not an address without a zone.");
      }
      provider.host = provider.literal->to_string();
      break;
    }
    case urls::host_type::name: {
      provider.host = LowerAscii(std::string(url.encoded_host()));
      if (!IsHostName(provider.host)) return BadProvider("the host must be an ASCII name or an IP address.");
      break;
    }
    default:
      return BadProvider("the URL names no host.");
  }
  ND_ASSIGN(provider.port, ReadPort(url, provider.transport));

  const bool loopback = provider.is_localhost() || (provider.literal && provider.literal->is_loopback());
  if (provider.transport == Transport::kPlain && !loopback) {
    return WithCode(Forbidden("--provider " + provider.name +
                              ": the provider's key would travel in clear text. Use https://, or http:// only with a "
                              "loopback address such as 127.0.0.1 or localhost."),
                    "unsafe");
  }

  std::string path(url.encoded_path());
  while (path.ends_with('/')) path.pop_back();
  if (!IsPlainPath(path)) return BadProvider("the path must be plain segments of letters, digits, '-', '.', '_', '~'.");
  provider.base_path = path.append(ProtocolPath(provider.protocol, path));
  return provider;
}

std::string ProviderConfig::Authority() const {
  std::string authority = literal && literal->is_v6() ? "[" + host + "]" : host;
  const std::uint16_t usual = transport == Transport::kTls ? 443 : 80;
  if (port != usual) authority += ":" + std::to_string(port);
  return authority;
}

Result<std::string> ProviderConfig::Target(Endpoint endpoint) const {
  const auto refuse = [&]() -> Result<std::string> {
    return InvalidInput(
        "This provider does not speak that protocol. Use /v1/messages with an Anthropic provider and "
        "/v1/chat/completions or /v1/embeddings with an OpenAI one.");
  };
  switch (endpoint) {
    case Endpoint::kModels:
      return base_path + "/models";
    case Endpoint::kChatCompletions:
      return protocol == Protocol::kOpenAi ? base_path + "/chat/completions" : refuse();
    case Endpoint::kEmbeddings:
      return protocol == Protocol::kOpenAi ? base_path + "/embeddings" : refuse();
    case Endpoint::kMessages:
      return protocol == Protocol::kAnthropic ? base_path + "/messages" : refuse();
  }
  return refuse();
}

ipc::Bytes BuildRequestHead(const ProviderConfig& provider, Endpoint endpoint, std::string_view target,
                            const Secret& key, const std::vector<std::pair<std::string, std::string>>& passed,
                            std::size_t body_size) {
  ipc::Bytes head;
  head.reserve(1024 + target.size() + key.size());
  const auto line = [&head](std::string_view name, std::string_view value) {
    ipc::Append(head, name);
    ipc::Append(head, ": ");
    ipc::Append(head, value);
    ipc::Append(head, "\r\n");
  };
  const bool get = endpoint == Endpoint::kModels;
  ipc::Append(head, get ? "GET " : "POST ");
  ipc::Append(head, target);
  ipc::Append(head, " HTTP/1.1\r\n");
  line("Host", provider.Authority());
  line("User-Agent", "neuraldeck");
  if (provider.protocol == Protocol::kAnthropic) {
    line("x-api-key", key.ExposeSecret());
    const std::string* version = FindPassed(passed, "anthropic-version");
    const bool version_good =
        version != nullptr && !version->empty() && version->size() <= 32 && OnlyAlphanumericOr(*version, ".-");
    line("anthropic-version", version_good ? std::string_view(*version) : "2023-06-01");
    const std::string* beta = FindPassed(passed, "anthropic-beta");
    if (beta != nullptr && !beta->empty() && beta->size() <= 512 && OnlyAlphanumericOr(*beta, ".-_, ")) {
      line("anthropic-beta", TrimSpace(*beta));
    }
  } else {
    ipc::Append(head, "Authorization: Bearer ");
    ipc::Append(head, key.ExposeSecret());
    ipc::Append(head, "\r\n");
  }
  const std::string* accept = FindPassed(passed, "accept");
  const bool stream = accept != nullptr && LowerAscii(*accept).find("text/event-stream") != std::string::npos;
  line("Accept", stream ? "text/event-stream, application/json" : "application/json");
  // A compressed answer could not be searched for the key.
  line("Accept-Encoding", "identity");
  if (!get) {
    line("Content-Type", "application/json");
    line("Content-Length", std::to_string(body_size));
  }
  ipc::Append(head, "\r\n");
  return head;
}

}  // namespace nd::keeper
