# Spotify. localhost is refused since 2025-11-27; loopback literals are registered
# without a port and take any.
# Sources: https://developer.spotify.com/documentation/web-api/concepts/redirect_uri
# and /tutorials/code-pkce-flow.
# Unverified: rotation (a public client gets a new refresh token with each refresh).

provider "spotify" {
  title = "Spotify"
  docs  = "https://developer.spotify.com/documentation/web-api/tutorials/code-pkce-flow"

  authorization_endpoint = "https://accounts.spotify.com/authorize"
  token_endpoint         = "https://accounts.spotify.com/api/token"

  grants      = ["authorization_code", "client_credentials", "refresh_token"]
  client_auth = ["client_secret_basic", "none"]

  redirect {
    loopback_host = "127.0.0.1"
    refused       = ["localhost"]
  }

  token_lifetimes {
    access = "1h"
  }

  rotation {
    kind = "unknown"
  }

  revocation_note = "Remove access at https://www.spotify.com/account/apps/."

  hint "*" {
    match  = "insecure redirect uri"
    cause  = "Spotify does not accept localhost."
    remedy = "Register http://127.0.0.1/callback/accounts.spotify.com and use it."
    needs  = "configuration"
  }
}
