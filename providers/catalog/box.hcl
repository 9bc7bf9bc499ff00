# Box. An authorization code lives for 30 seconds only.
# Sources: https://developer.box.com/guides/authentication/oauth2/,
# https://developer.box.com/guides/api-calls/permissions-and-errors/expiration/ and
# https://developer.box.com/reference/get-users-me/.
# Unverified: PKCE; the revocation endpoint.

provider "box" {
  title = "Box"
  docs  = "https://developer.box.com/guides/authentication/oauth2/"

  authorization_endpoint = "https://account.box.com/api/oauth2/authorize"
  token_endpoint         = "https://api.box.com/oauth2/token"
  revocation_endpoint    = "https://api.box.com/oauth2/revoke"
  userinfo_endpoint      = "https://api.box.com/2.0/users/me"

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_post"]

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  token_lifetimes {
    access  = "1h"
    refresh = "60d" # or one use
  }

  rotation {
    kind = "single_use"
  }

  hint "invalid_grant" {
    match  = "authorization code has expired"
    cause  = "The code was older than 30 seconds."
    remedy = "Run oauthctl apply again; a pasted URL has to be pasted at once."
    needs  = "person"
  }
  hint "invalid_grant" {
    match  = "refresh token has expired"
    cause  = "The refresh token was used before, or not for 60 days."
    remedy = "Consent again: oauthctl apply."
    needs  = "person"
  }
}
