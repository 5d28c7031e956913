// A provider as the administrator writes it. What is accepted makes a request line and a Host without surprises, and a
// key never travels in clear text beyond loopback.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "keeper/provider.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nd::keeper;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto provider = ProviderConfig::Parse(text);
  if (!provider.ok()) return 0;
  const auto plain = [](const std::string& part) {
    return part.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/[]") ==
           std::string::npos;
  };
  if (!plain(provider->host) || !plain(provider->Authority()) || provider->port == 0) abort();
  if (provider->transport == ProviderConfig::Transport::kPlain && provider->host != "localhost" &&
      !(provider->literal && provider->literal->is_loopback())) {
    abort();
  }
  const auto target = provider->Target(Endpoint::kModels);
  if (!target.ok() || !plain(*target) || target->front() != '/' || target->find("//") != std::string::npos) abort();
  // The host that will be called is the host that was written.
  const std::string host = provider->literal && provider->literal->is_v6() ? "[" : provider->host;
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  const auto begin = lower.find("://");
  if (begin == std::string::npos || lower.compare(begin + 3, host.size(), host) != 0) abort();
  const auto end = begin + 3 + host.size();
  if (host != "[" && end < lower.size() && lower[end] != ':' && lower[end] != '/') abort();
  return 0;
}
