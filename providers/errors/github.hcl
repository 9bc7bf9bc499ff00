# Errors of GitHub, which come with status 200 and names of their own.

error "bad_verification_code" {
  name    = "code refused"
  meaning = "The code is wrong or has expired."
  cause   = "The code is wrong or older than 10 minutes."
  remedy  = "Run oauthctl apply again."
  needs   = "person"
  source  = "https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors"
}

error "incorrect_client_credentials" {
  name    = "client credentials refused"
  meaning = "client_id or client_secret is wrong."
  cause   = "client_id or client_secret is wrong."
  remedy  = "Compare them with the app under Settings, Developer settings."
  needs   = "configuration"
  source  = "https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors"
}

error "unverified_user_email" {
  name    = "e-mail address not verified"
  meaning = "The user's e-mail address is not verified."
  cause   = "The user has not confirmed the primary e-mail address of the account."
  remedy  = "Confirm the address under https://github.com/settings/emails, then run oauthctl apply."
  needs   = "person"
  source  = "https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors"
}

error "bad_refresh_token" {
  name    = "refresh token refused"
  meaning = "The refresh token is wrong, spent or has expired."
  cause   = "The refresh token is spent or older than 6 months."
  remedy  = "Consent again: oauthctl apply."
  needs   = "person"
  source  = "https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens"
}

error "application_suspended" {
  name    = "app suspended"
  meaning = "GitHub has suspended the app."
  cause   = "The app was reported for abuse, spam or the like."
  remedy  = "Ask the owner of the app to contact GitHub Support."
  needs   = "administrator"
  source  = "https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-authorization-request-errors"
}

error "device_flow_disabled" {
  name    = "device flow switched off"
  meaning = "The device flow is not enabled for the app."
  cause   = "The device flow is not enabled for the app."
  remedy  = "Tick \"Enable Device Flow\" in the app's settings."
  needs   = "configuration"
  source  = "https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps"
}

error "incorrect_device_code" {
  name    = "device code refused"
  meaning = "The device code is not valid."
  cause   = "The code belongs to another request or has ended."
  remedy  = "Run oauthctl apply again for a new code."
  needs   = "person"
  source  = "https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps"
}
