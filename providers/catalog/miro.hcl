# Miro. Tokens expire only if "Expire user authorization token" was ticked when
# the app was made.
# Source: https://developers.miro.com/docs/getting-started-with-oauth.
# Unverified: PKCE.

provider "miro" {
  title = "Miro"
  docs  = "https://developers.miro.com/docs/getting-started-with-oauth"

  authorization_endpoint = "https://miro.com/oauth/authorize"
  token_endpoint         = "https://api.miro.com/v1/oauth/token"

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_post"]

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  token_lifetimes {
    access  = "1h"
    refresh = "60d"
  }

  rotation {
    kind = "single_use"
  }

  revocation      = "none"
  revocation_note = "Uninstall the app in the team's settings."
}
