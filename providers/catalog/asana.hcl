# Asana.
# Source: https://developers.asana.com/docs/oauth.
# Unverified: PKCE; lifetimes; rotation.

provider "asana" {
  title = "Asana"
  docs  = "https://developers.asana.com/docs/oauth"

  authorization_endpoint = "https://app.asana.com/-/oauth_authorize"
  token_endpoint         = "https://app.asana.com/-/oauth_token"
  revocation_endpoint    = "https://app.asana.com/-/oauth_revoke"

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_post"]

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
}
