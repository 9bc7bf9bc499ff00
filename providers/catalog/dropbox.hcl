# Dropbox.
# Source: https://www.dropbox.com/developers/documentation/http/documentation#authorization.
# Unverified: the order of client authentication methods.

provider "dropbox" {
  title = "Dropbox"
  docs  = "https://www.dropbox.com/developers/documentation/http/documentation#authorization"

  authorization_endpoint = "https://www.dropbox.com/oauth2/authorize"
  token_endpoint         = "https://api.dropboxapi.com/oauth2/token"

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_post", "client_secret_basic", "none"]

  offline_params = { token_access_type = "offline" }

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  token_lifetimes {
    access = "4h"
  }

  rotation {
    kind = "none"
  }

  revocation      = "none"
  revocation_note = "Disconnect the app at https://www.dropbox.com/account/connected_apps."

  hint "invalid_grant" {
    match  = "refresh token is invalid or revoked"
    cause  = "The app was disconnected from the account."
    remedy = "Consent again: oauthctl apply."
    needs  = "person"
  }
}
