# Jira and Confluence Cloud (OAuth 2.0, "3LO").
# Sources: https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/;
# who signed in: https://developer.atlassian.com/cloud/oauth/getting-started/faq/;
# the grace period: https://community.developer.atlassian.com/t/83103.
# Unverified: PKCE; the 90 days of the refresh token.

provider "atlassian" {
  title = "Atlassian Cloud"
  docs  = "https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/"

  authorization_endpoint = "https://auth.atlassian.com/authorize"
  token_endpoint         = "https://auth.atlassian.com/oauth/token"
  userinfo_endpoint      = "https://api.atlassian.com/me" # scope read:me

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_post"]

  offline_scope = "offline_access"
  authorize_params = {
    audience = "api.atlassian.com"
    prompt   = "consent"
  }

  redirect {
    fixed_port = true
  }

  token_lifetimes {
    access  = "1h"
    refresh = "90d" # without use
  }

  # A reuse within the grace also ends the access token that came with the new one.
  rotation {
    kind  = "single_use"
    grace = "10m"
  }

  revocation_note = "Remove the app at https://id.atlassian.com/manage-profile/apps."

  hint "invalid_grant" {
    match  = "unknown or invalid refresh token"
    cause  = "The refresh token was used before, or was not used for 90 days."
    remedy = "Consent again: oauthctl apply."
    needs  = "person"
  }
}
