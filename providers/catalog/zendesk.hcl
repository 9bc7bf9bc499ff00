# Zendesk. The access token's life is a parameter of the token request.
# Source: https://support.zendesk.com/hc/en-us/articles/9182123625370.
# Unverified: PKCE in detail.

provider "zendesk" {
  title = "Zendesk"
  docs  = "https://support.zendesk.com/hc/en-us/articles/9182123625370"

  argument "subdomain" {
    required = true
    pattern  = "[A-Za-z0-9][A-Za-z0-9-]*"
    doc      = "First part of your zendesk.com host."
    example  = "acme"
  }

  authorization_endpoint = "https://${arg.subdomain}.zendesk.com/oauth/authorizations/new"
  token_endpoint         = "https://${arg.subdomain}.zendesk.com/oauth/tokens"

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_post", "none"]

  # In seconds, 5 minutes to 2 days. Clients from before 2026 get tokens without
  # an end if it is not asked for.
  token_params = { expires_in = "1800" }

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  token_lifetimes {
    access  = "30m"
    refresh = "30d"
  }

  # A refresh also ends the access token before it.
  rotation {
    kind = "single_use"
  }

  revocation_note = "Revoke the token in the Admin Center, under Apps and integrations, OAuth clients."
}
