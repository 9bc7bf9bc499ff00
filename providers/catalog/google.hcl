# Google accounts and Google Workspace.
# Sources: https://developers.google.com/identity/protocols/oauth2 (web-server,
# native-app, limited-input-device, service-account), https://developers.google.com/identity/openid-connect.

provider "google" {
  title = "Google"
  docs  = "https://developers.google.com/identity/protocols/oauth2"

  issuer                 = "https://accounts.google.com"
  discovery              = "none"
  authorization_endpoint = "https://accounts.google.com/o/oauth2/v2/auth"
  token_endpoint         = "https://oauth2.googleapis.com/token"
  device_endpoint        = "https://oauth2.googleapis.com/device/code"
  revocation_endpoint    = "https://oauth2.googleapis.com/revoke"
  userinfo_endpoint      = "https://openidconnect.googleapis.com/v1/userinfo"
  jwks_uri               = "https://www.googleapis.com/oauth2/v3/certs"
  id_token               = true

  grants      = ["authorization_code", "device_code", "jwt_bearer", "refresh_token"]
  client_auth = ["client_secret_post"] # desktop clients send their secret too
  pkce        = "supported"

  # A service account signs with its own key; its email is the client_id. A
  # subject is named for domain-wide delegation only.
  jwt_bearer {
    audience    = "token_endpoint"
    algorithms  = ["RS256"]
    scope_claim = true
    no_subject  = true
  }

  # Without prompt=consent only the very first consent gives a refresh token.
  offline_params = {
    access_type = "offline"
    prompt      = "consent"
  }

  redirect {
    loopback_host = "127.0.0.1"
    path          = ""
  }

  token_lifetimes {
    access = "1h"
  }

  # A refresh token ends after 6 months without use, or 7 days after the consent
  # while the app's publishing status is Testing.
  rotation {
    kind = "none"
  }

  hint "invalid_grant" {
    cause  = "The refresh token has expired or was revoked: the app's publishing status is Testing (7 days), it was not used for 6 months, the password changed, or too many tokens were issued."
    remedy = "Consent again: oauthctl apply. If it happens every week, set the app's publishing status to \"In production\"."
    needs  = "person"
  }
  hint "invalid_client" {
    cause  = "Google does not know the client, or the secret is wrong; desktop clients need their secret too."
    remedy = "Compare client_id and client_secret with the Google Cloud console, under Credentials."
    needs  = "configuration"
  }
  hint "redirect_uri_mismatch" {
    cause  = "The redirect URI is not registered for this client."
    remedy = "Use a client of the type \"Desktop app\" for loopback, or register the redirect URI that the plan shows."
    needs  = "configuration"
  }
  hint "admin_policy_enforced" {
    cause  = "The administrator of the Workspace does not allow these scopes."
    remedy = "Ask the administrator to trust the app's client id."
    needs  = "administrator"
  }
  hint "org_internal" {
    cause  = "The app is for accounts of its own organisation only."
    remedy = "Sign in with an account of that organisation."
    needs  = "person"
  }
  hint "disallowed_useragent" {
    cause  = "Google refuses sign-in inside an embedded browser."
    remedy = "Open the URL in a full browser."
    needs  = "person"
  }
}
