# Intuit QuickBooks Online. The company's id comes as realmId and is kept.
# Source: https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0.
# Unverified: PKCE; issuer; revocation endpoint.

provider "quickbooks" {
  title = "Intuit QuickBooks"
  docs  = "https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0"

  issuer                 = "https://oauth.platform.intuit.com/op/v1"
  discovery              = "none"
  authorization_endpoint = "https://appcenter.intuit.com/connect/oauth2"
  token_endpoint         = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"
  revocation_endpoint    = "https://developer.api.intuit.com/v2/oauth2/tokens/revoke"

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_basic"]

  callback_params = ["realmId"] # the company

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  token_lifetimes {
    access  = "1h"
    refresh = "100d" # with use; five years at most
  }

  # The value changes about once a day.
  rotation {
    kind = "unknown"
  }
}
