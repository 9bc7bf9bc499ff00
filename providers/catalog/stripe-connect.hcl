# Stripe Connect, Standard accounts. client_secret is the platform's secret API key.
# Source: https://docs.stripe.com/connect/oauth-reference.
# Unverified: that PKCE is not supported.

provider "stripe-connect" {
  title = "Stripe Connect"
  docs  = "https://docs.stripe.com/connect/oauth-reference"

  authorization_endpoint = "https://connect.stripe.com/oauth/authorize"
  token_endpoint         = "https://connect.stripe.com/oauth/token"

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_post"]
  pkce        = "broken"

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  # Access tokens do not expire.
  rotation {
    kind = "none"
  }

  revocation      = "none"
  revocation_note = "Disconnect the account in the Stripe dashboard, or POST to https://connect.stripe.com/oauth/deauthorize."
}
