# A ServiceNow instance as authorization server ("inbound" OAuth).
# Sources: https://www.servicenow.com/docs/r/platform-security/authentication/ (authorization-workflow,
# configure-an-oauth-authorization-code-grant, r_OAuthAPIRequestParameters, r_OAuthAPIResponseParameters,
# t_CreateEndpointforExternalClients, t_RevokeOAuthToken, OAuth-token-processor-parm).
# Unverified: the answer when consent is denied; whether public clients get refresh
# tokens on every release (documented for private clients only).

provider "servicenow" {
  title = "ServiceNow"
  docs  = "https://www.servicenow.com/docs/r/platform-security/authentication/authorization-workflow.html"

  argument "instance" {
    required = true
    pattern  = "[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]+)?"
    doc      = "Name of the instance, the part before .service-now.com, or the whole host where it has a name of its own."
    example  = "dev12345"
  }

  discovery              = "none"
  authorization_endpoint = "https://${lower(can(regex("[.:]", arg.instance)) ? arg.instance : "${arg.instance}.service-now.com")}/oauth_auth.do"
  token_endpoint         = "https://${lower(can(regex("[.:]", arg.instance)) ? arg.instance : "${arg.instance}.service-now.com")}/oauth_token.do"
  revocation_endpoint    = "https://${lower(can(regex("[.:]", arg.instance)) ? arg.instance : "${arg.instance}.service-now.com")}/oauth_revoke_token.do"

  # Parameters are read from a form body only, client_secret included.
  grants      = ["authorization_code", "client_credentials", "refresh_token"]
  client_auth = ["client_secret_post", "none"]
  pkce        = "supported" # required of public clients

  # As in a new OAuth registration of the instance; token_lifetimes of a connection
  # mirror another one.
  token_lifetimes {
    access  = "30m"  # 1,800 s
    refresh = "100d" # 8,640,000 s
  }

  # The same refresh token comes back, and as long as it lives the same access
  # token, with the time that it has left.
  rotation {
    kind = "none"
  }

  revocation_note = "The token stands in the query of the URL, as ServiceNow documents it: a proxy that ends TLS may log it. It is dead by then."

  quirks = ["first_redirect", "optional_refresh", "catch_all_401", "revoke_by_url"]

  hint "access_denied" {
    cause  = "The person denied access on the instance's page, or has no right to use the application."
    remedy = "Run oauthctl apply again and allow it; if the page offers no choice, ask an administrator of the instance."
    needs  = "person"
  }
}
