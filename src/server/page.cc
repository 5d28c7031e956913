#include "server/page.h"

#include <fmt/format.h>

namespace nd::server {

namespace {
constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--ground:#f6f7f9;--card:#ffffff;--ink:#10141a;--dim:#4d5866;--line:#d5dbe3;--active:#006d85;--code:#eef1f5}
@media (prefers-color-scheme:dark){:root{--ground:#07090c;--card:#0f1318;--ink:#e8edf3;--dim:#9aa7b5;--line:#232b35;--active:#22e1ff;--code:#151b22}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;grid-template-columns:minmax(0,640px);place-content:center;padding:24px;background:var(--ground);color:var(--ink);font:16px/1.6 system-ui,-apple-system,"Segoe UI",sans-serif}
main{background:var(--card);border:1px solid var(--line);border-top:3px solid var(--active);border-radius:12px;padding:32px}
h1{margin:0 0 4px;font-size:1.6rem;letter-spacing:-.01em}
h2{margin:28px 0 8px;font-size:1rem}
p{margin:0 0 12px}.dim{color:var(--dim)}
pre{margin:0 0 12px;padding:14px 16px;background:var(--code);border-radius:8px;white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.6 ui-monospace,SFMono-Regular,Menlo,monospace}
code{font-family:ui-monospace,SFMono-Regular,Menlo,monospace;font-size:.92em}
@media (max-width:480px){body{padding:12px}main{padding:22px 18px}}
)";

constexpr std::string_view kFirstAdmin = R"(<h2>Create the first administrator</h2>
<p>The server printed a setup link when it started. Send the token behind its <code>#token=</code> from a terminal; it works once, for 15 minutes:</p>
<pre>curl -X POST "$DECK/api/setup" \
  -H 'Content-Type: application/json' \
  -d '{"setupToken":"&hellip;","userId":"alice","password":"&hellip;"}'</pre>
<p>Or on the server itself:</p>
<pre>neuraldeck user add alice --role admin --password-stdin</pre>
)";

constexpr std::string_view kReady = R"(<h2>Use it from a program</h2>
<p>Point an OpenAI or Anthropic SDK at this deck and give it an agent token instead of a provider key:</p>
<pre>neuraldeck token create --user alice --name my-agent \
  --scope 'model:*' --expires 90d --json

export OPENAI_BASE_URL="$DECK/v1"
export OPENAI_API_KEY="nda_&hellip;"</pre>
)";
}  // namespace

std::string WelcomePage(std::string_view nonce, bool has_users) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>NeuralDeck</title>\n<style nonce=\"{}\">{}</style>\n</head>\n<body>\n<main>\n"
      "<h1>NeuralDeck is running</h1>\n"
      "<p class=\"dim\">This server has no web console yet. Everything works over its HTTP interface and its command line.</p>\n{}"
      "<p class=\"dim\">Here <code>$DECK</code> is the address of this page.</p>\n</main>\n</body>\n</html>\n",
      nonce, kStyle, has_users ? kReady : kFirstAdmin);
}

}  // namespace nd::server
