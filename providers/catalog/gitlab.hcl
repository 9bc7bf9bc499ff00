# GitLab.com and self-managed GitLab.
# Source: https://docs.gitlab.com/api/oauth2/. Issuer and the endpoints that are
# not set here come from the metadata document.

provider "gitlab" {
  title = "GitLab"
  docs  = "https://docs.gitlab.com/api/oauth2/"

  argument "host" {
    default = "gitlab.com"
    pattern = "[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._-]+)*"
    doc     = "Host of a self-managed GitLab, with its path if it has one."
    example = "gitlab.corp.example"
  }

  issuer                 = "https://${arg.host}"
  discovery              = "oidc"
  authorization_endpoint = "https://${arg.host}/oauth/authorize"
  token_endpoint         = "https://${arg.host}/oauth/token"
  device_endpoint        = "https://${arg.host}/oauth/authorize_device"
  revocation_endpoint    = "https://${arg.host}/oauth/revoke"
  id_token               = true

  grants      = ["authorization_code", "device_code", "client_credentials", "refresh_token"]
  client_auth = ["client_secret_post", "none"]
  pkce        = "supported"

  # Loopback addresses take any port, localhost does not (doorkeeper-gem/doorkeeper#1182).
  redirect {
    loopback_host = "127.0.0.1"
  }

  token_lifetimes {
    access = "2h"
  }

  # A refresh also ends the access token before it.
  rotation {
    kind = "single_use"
  }

  hint "redirect_uri_mismatch" {
    cause  = "The redirect URI is not registered for the application."
    remedy = "Add the redirect URI that the plan shows to the application, under Preferences, Applications."
    needs  = "configuration"
  }
  hint "invalid_scope" {
    cause  = "The application does not allow one of the scopes."
    remedy = "Tick the scopes in the application, under Preferences, Applications."
    needs  = "configuration"
  }
}
