# Yahoo.
# Source: https://developer.yahoo.com/oauth2/guide/flows_authcode/.
# Unverified: PKCE; issuer; rotation.

provider "yahoo" {
  title = "Yahoo"
  docs  = "https://developer.yahoo.com/oauth2/guide/flows_authcode/"

  issuer                 = "https://api.login.yahoo.com"
  discovery              = "oidc"
  authorization_endpoint = "https://api.login.yahoo.com/oauth2/request_auth"
  token_endpoint         = "https://api.login.yahoo.com/oauth2/get_token"
  id_token               = true

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_basic"]

  redirect {
    https = true
  }

  token_lifetimes {
    access = "1h"
  }

  rotation {
    kind = "none"
  }
}
