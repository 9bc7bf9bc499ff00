# Heroku.
# Source: https://devcenter.heroku.com/articles/oauth.
# Unverified: PKCE; the access token's life; rotation.

provider "heroku" {
  title = "Heroku"
  docs  = "https://devcenter.heroku.com/articles/oauth"

  authorization_endpoint = "https://id.heroku.com/oauth/authorize"
  token_endpoint         = "https://id.heroku.com/oauth/token"

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_post"]

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  token_lifetimes {
    access = "8h"
  }

  rotation {
    kind = "none"
  }

  revocation      = "none"
  revocation_note = "Revoke the authorization at https://dashboard.heroku.com/account/applications."
}
