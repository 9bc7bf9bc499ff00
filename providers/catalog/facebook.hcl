# Facebook and Meta apps. There are no refresh tokens: when the token ends, a
# person consents again.
# Source: https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow.
# Unverified: PKCE; the scope separator.

provider "facebook" {
  title = "Facebook (Meta)"
  docs  = "https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow"

  argument "graph_version" {
    default = "v22.0"
    pattern = "v[0-9]+\\.[0-9]+"
    doc     = "Version of the Graph API."
    example = "v23.0"
  }

  authorization_endpoint = "https://www.facebook.com/${arg.graph_version}/dialog/oauth"
  token_endpoint         = "https://graph.facebook.com/${arg.graph_version}/oauth/access_token"

  grants      = ["authorization_code"]
  client_auth = ["client_secret_post"]

  scope_separator = ","

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  token_lifetimes {
    access = "1h"
  }

  rotation {
    kind = "none"
  }

  revocation_note = "Remove the app under Settings, Apps and websites."
}
