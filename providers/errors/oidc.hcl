# Errors of OpenID Connect: Core §3.1.2.6, and the specifications that it names.

error "interaction_required" {
  name    = "the person is needed"
  meaning = "The server wants to ask the person something."
  cause   = "The server wants to ask the person something."
  remedy  = "Consent again: oauthctl apply."
  needs   = "person"
  source  = "https://openid.net/specs/openid-connect-core-1_0.html#AuthError"
}

error "login_required" {
  name    = "nobody is signed in"
  meaning = "The person has to sign in."
  cause   = "Nobody is signed in at the server."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
  source  = "https://openid.net/specs/openid-connect-core-1_0.html#AuthError"
}

error "account_selection_required" {
  name    = "an account has to be chosen"
  meaning = "Several accounts are signed in."
  cause   = "Several accounts are signed in, and the server wants to know which one is meant."
  remedy  = "Set account, or prompt = \"select_account\" in the grant block, and run oauthctl apply."
  needs   = "person"
  source  = "https://openid.net/specs/openid-connect-core-1_0.html#AuthError"
}

error "consent_required" {
  name    = "consent is missing"
  meaning = "The person has to consent."
  cause   = "Consent is missing for a scope."
  remedy  = "Consent again: oauthctl apply."
  needs   = "person"
  source  = "https://openid.net/specs/openid-connect-core-1_0.html#AuthError"
}

error "registration_not_supported" {
  name    = "registration parameter not known"
  meaning = "The server does not take the parameter registration."
  cause   = "The server does not accept the registration parameter."
  remedy  = "Remove registration from authorize_params."
  needs   = "configuration"
  source  = "https://openid.net/specs/openid-connect-core-1_0.html#AuthError"
}

error "unmet_authentication_requirements" {
  name    = "sign-in too weak"
  meaning = "The server cannot satisfy the requested kind of sign-in."
  cause   = "The sign-in was not strong enough for what was asked."
  remedy  = "Sign in again with the second factor that the server wants: oauthctl apply."
  needs   = "person"
  source  = "https://openid.net/specs/openid-connect-unmet-authentication-requirements-1_0.html"
}
