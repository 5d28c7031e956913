// The keeper's TLS client against a server of our own with certificates made on the spot.
#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>

#include <boost/asio/ssl.hpp>
#include <optional>

#include "keeper/keeper_test_world.h"
#include "keeper/upstream_connection.h"

namespace nd::keeper {
namespace {

using testing::HasSubstr;
namespace ssl = boost::asio::ssl;

struct Identity {
  std::string key_pem, certificate_pem;
};

std::string PemOf(const std::function<int(BIO*)>& write) {
  BIO* bio = BIO_new(BIO_s_mem());
  write(bio);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return pem;
}

// A self-signed certificate that is its own authority. `names` as in "DNS:localhost,IP:127.0.0.1".
Identity MakeIdentity(const char* names) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  for (const auto& [nid, value] :
       {std::pair{NID_subject_alt_name, names}, std::pair{NID_basic_constraints, "critical,CA:TRUE"}}) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  X509_sign(certificate, key, EVP_sha256());
  Identity identity{
      PemOf([&](BIO* bio) { return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr); }),
      PemOf([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); })};
  X509_free(certificate);
  EVP_PKEY_free(key);
  return identity;
}

enum class Versions { kAll, kOldOnly };

// Answers one request per connection over TLS. The handshake runs over the stand-in's socket.
StandIn::Script ServeTls(const Identity& identity, Versions versions,
                         std::promise<std::string>* server_name = nullptr) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  context->use_private_key(boost::asio::buffer(identity.key_pem), ssl::context::pem);
  context->use_certificate(boost::asio::buffer(identity.certificate_pem), ssl::context::pem);
  SSL_CTX_set_security_level(context->native_handle(), 0);
  if (versions == Versions::kOldOnly) SSL_CTX_set_max_proto_version(context->native_handle(), TLS1_1_VERSION);
  return [context, server_name](Peer& peer) {
    SSL* tls = SSL_new(context->native_handle());
    SSL_set_fd(tls, peer.fd());
    if (SSL_accept(tls) == 1) {
      const char* name = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
      if (server_name != nullptr) server_name->set_value(name == nullptr ? "" : name);
      char request[4096];
      if (SSL_read(tls, request, sizeof request) > 0) {
        const std::string_view answer =
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nsecret";
        SSL_write(tls, answer.data(), static_cast<int>(answer.size()));
        SSL_read(tls, request, sizeof request);
      }
    }
    SSL_free(tls);
  };
}

class TlsTest : public KeeperTest {
 protected:
  // OpenSSL writes to the stand-in's sockets without MSG_NOSIGNAL.
  static void SetUpTestSuite() { signal(SIGPIPE, SIG_IGN); }
  void StartWith(const std::string& host, const StandIn& provider, const Identity& authority) {
    const std::string ca_file = folder_.path() + "/ca.pem";
    ASSERT_TRUE(ReplaceFileDurably(ca_file, authority.certificate_pem).ok());
    StartKeeper({"p=https://" + host + ":" + provider.port()}, {}, ca_file);
    PutKey("p", "", "sk-12345678");
  }
};

TEST_F(TlsTest, SpeaksToTheHostThatItsCertificateNames) {
  const Identity identity = MakeIdentity("DNS:localhost");
  std::promise<std::string> server_name;
  StandIn provider(ServeTls(identity, Versions::kAll, &server_name));
  StartWith("localhost", provider, identity);
  EXPECT_EQ(Talk(Chat("p")), "200 text/plain secret");
  EXPECT_EQ(server_name.get_future().get(), "localhost");
}

TEST_F(TlsTest, ChecksAddressesAgainstTheAddressesOfTheCertificate) {
  const Identity identity = MakeIdentity("IP:127.0.0.1");
  std::promise<std::string> server_name;
  StandIn provider(ServeTls(identity, Versions::kAll, &server_name));
  StartWith("127.0.0.1", provider, identity);
  EXPECT_EQ(Talk(Chat("p")), "200 text/plain secret");
  EXPECT_EQ(server_name.get_future().get(), "") << "an address is not a server name";
}

TEST_F(TlsTest, RefusesACertificateForAnotherHost) {
  const Identity identity = MakeIdentity("DNS:elsewhere.example,IP:127.0.0.2");
  StandIn provider(ServeTls(identity, Versions::kAll));
  StartWith("localhost", provider, identity);
  EXPECT_THAT(Talk(Chat("p")), HasSubstr("unavailable"));
  EXPECT_EQ(*Await(client_->TestKey("p", "")), "unreachable");
}

TEST_F(TlsTest, RefusesACertificateOfAnUnknownAuthority) {
  StandIn provider(ServeTls(MakeIdentity("DNS:localhost"), Versions::kAll));
  StartWith("localhost", provider, MakeIdentity("DNS:localhost"));
  EXPECT_THAT(Talk(Chat("p")), HasSubstr("unavailable"));
}

TEST_F(TlsTest, RefusesVersionsBefore12) {
  const Identity identity = MakeIdentity("DNS:localhost");
  StandIn provider(ServeTls(identity, Versions::kOldOnly));
  StartWith("localhost", provider, identity);
  EXPECT_THAT(Talk(Chat("p")), HasSubstr("unavailable"));
}

TEST_F(TlsTest, SendsNoRequestToAServerWithoutTls) {
  std::promise<std::string> received;
  StandIn provider([&](Peer& peer) {
    char bytes[4096];
    const ssize_t size = recv(peer.fd(), bytes, sizeof bytes, 0);
    received.set_value(std::string(bytes, size > 0 ? static_cast<std::size_t>(size) : 0));
  });
  StartWith("localhost", provider, MakeIdentity("DNS:localhost"));
  EXPECT_THAT(Talk(Chat("p")), HasSubstr("unavailable"));
  EXPECT_EQ(received.get_future().get().find("sk-12345678"), std::string::npos);
}

TEST_F(TlsTest, WantsAReadableFileOfAuthorities) {
  EXPECT_EQ(MakeTlsContext(folder_.path() + "/none.pem").error().kind, ErrorKind::kInvalidInput);
  EXPECT_TRUE(MakeTlsContext("").ok());
}

}  // namespace
}  // namespace nd::keeper
