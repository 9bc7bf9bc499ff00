# monday.com, the original OAuth of an app: tokens do not expire and there is no refresh.
# Source: https://developer.monday.com/apps/docs/oauth.

provider "monday" {
  title = "monday.com"
  docs  = "https://developer.monday.com/apps/docs/oauth"

  authorization_endpoint = "https://auth.monday.com/oauth2/authorize"
  token_endpoint         = "https://auth.monday.com/oauth2/token"

  grants      = ["authorization_code"]
  client_auth = ["client_secret_post"]
  pkce        = "broken"

  authorize_params = { force_install_if_needed = "true" }

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  rotation {
    kind = "none"
  }

  revocation_note = "Uninstall the app in the account's administration."
}
