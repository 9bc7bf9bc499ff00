# Xero.
# Sources: https://developer.xero.com/documentation/guides/oauth2/auth-flow/; the
# grace period: https://community.xero.com/developer/discussion/105714701 (staff).
# Unverified: issuer; revocation endpoint.

provider "xero" {
  title = "Xero"
  docs  = "https://developer.xero.com/documentation/guides/oauth2/auth-flow/"

  issuer                 = "https://identity.xero.com"
  discovery              = "oidc"
  authorization_endpoint = "https://login.xero.com/identity/connect/authorize"
  token_endpoint         = "https://identity.xero.com/connect/token"
  revocation_endpoint    = "https://identity.xero.com/connect/revocation"
  id_token               = true

  grants      = ["authorization_code", "client_credentials", "refresh_token"]
  client_auth = ["client_secret_basic", "none"]

  offline_scope = "offline_access"

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  token_lifetimes {
    access  = "30m"
    refresh = "60d"
  }

  rotation {
    kind  = "single_use"
    grace = "30m"
  }
}
