# Errors of Microsoft Entra ID: the numbers in error_description. Microsoft wants
# programs to branch on error and suberror, never on the number: it is for people.
# A name in lower case is ours, where Microsoft gives none.
# Source, where an entry names no other:
# https://learn.microsoft.com/entra/identity-platform/reference-error-codes

# --- redirect URI

error "AADSTS50011" {
  name    = "InvalidReplyTo"
  meaning = "The redirect URI does not match one that is registered for the app."
  cause   = "The URI that was sent is not among those of the registration, or stands there for another platform; scheme, host, path and its case, and a trailing slash count, the port of http://localhost does not."
  remedy  = "Register the redirect URI exactly as the plan shows it (Authentication, Add a platform; \"Mobile and desktop applications\" for http://localhost), or write the registered one in redirect_uris."
  needs   = "configuration"
}

error "AADSTS70004" {
  name    = "InvalidRedirectUri"
  meaning = "The redirect URI is not valid for the app."
  cause   = "The URI that was sent is not among those of the registration, or stands there for another platform; scheme, host, path and its case, and a trailing slash count, the port of http://localhost does not."
  remedy  = "Register the redirect URI exactly as the plan shows it (Authentication, Add a platform; \"Mobile and desktop applications\" for http://localhost), or write the registered one in redirect_uris."
  needs   = "configuration"
}

error "AADSTS900971" {
  name    = "no reply address"
  meaning = "The app has no redirect URI at all."
  cause   = "No redirect URI has been registered yet."
  remedy  = "Register the redirect URI exactly as the plan shows it (Authentication, Add a platform; \"Mobile and desktop applications\" for http://localhost), or write the registered one in redirect_uris."
  needs   = "configuration"
}

error "AADSTS90102" {
  name    = "InvalidUriParameter"
  meaning = "A URI in the request is not absolute."
  cause   = "The URI that was sent is not among those of the registration, or stands there for another platform; scheme, host, path and its case, and a trailing slash count, the port of http://localhost does not."
  remedy  = "Register the redirect URI exactly as the plan shows it (Authentication, Add a platform; \"Mobile and desktop applications\" for http://localhost), or write the registered one in redirect_uris."
  needs   = "configuration"
}


# --- platform of the redirect URI

error "AADSTS9002326" {
  name    = "cross-origin redemption"
  meaning = "A code may be redeemed from a browser only for the platform \"Single-page application\"."
  cause   = "application_type is \"spa\", which sends Origin, but the redirect URI is registered for another platform."
  remedy  = "Remove application_type = \"spa\", or register the redirect URI for the platform \"Single-page application\"."
  needs   = "configuration"
  source  = "https://learn.microsoft.com/entra/identity-platform/reply-url"
}

error "AADSTS9002327" {
  name    = "single-page redemption"
  meaning = "Tokens for the platform \"Single-page application\" are given to cross-origin requests only."
  cause   = "The redirect URI is registered for the platform \"Single-page application\", but the request came without Origin."
  remedy  = "Register the redirect URI for \"Mobile and desktop applications\" instead (its refresh tokens live 90 days), or set application_type = \"spa\"."
  needs   = "configuration"
  source  = "https://learn.microsoft.com/entra/identity-platform/reply-url"
}


# --- consent

error "AADSTS65001" {
  name    = "DelegationDoesNotExist"
  meaning = "The user or an administrator has not consented to the app."
  cause   = "Nobody has consented to these scopes for this app yet, or the consent was removed."
  remedy  = "Consent in the browser: oauthctl apply."
  needs   = "person"
}

error "AADSTS90008" {
  name    = "TokenForItselfRequiresGraphPermission"
  meaning = "The app needs at least the permission to sign the user in and read the profile."
  cause   = "Nobody has consented to these scopes for this app yet, or the consent was removed."
  remedy  = "Consent in the browser: oauthctl apply."
  needs   = "person"
}

error "AADSTS65004" {
  name    = "UserDeclinedConsent"
  meaning = "The user declined to consent."
  cause   = "The person pressed Cancel on the consent page."
  remedy  = "Run oauthctl apply again and consent, or ask for fewer scopes."
  needs   = "person"
}


# --- consent of an administrator

error "AADSTS90094" {
  name    = "AdminConsentRequired"
  meaning = "An administrator has to consent."
  cause   = "A scope may be consented to by an administrator only, or the tenant lets nobody else consent to apps."
  remedy  = "Ask an administrator of the tenant to grant consent (API permissions, \"Grant admin consent\"), then run oauthctl apply."
  needs   = "administrator"
}

error "AADSTS90095" {
  name    = "AdminConsentRequiredRequestAccess"
  meaning = "An administrator has to consent, and can be asked on the page that was shown."
  cause   = "A scope may be consented to by an administrator only, or the tenant lets nobody else consent to apps."
  remedy  = "Ask an administrator of the tenant to grant consent (API permissions, \"Grant admin consent\"), then run oauthctl apply."
  needs   = "administrator"
}

error "AADSTS90093" {
  name    = "GraphUserUnauthorized"
  meaning = "The directory refused the request of this user."
  cause   = "The user may not do this in the tenant, such as consent to the app."
  remedy  = "Ask an administrator of the tenant to grant consent (API permissions, \"Grant admin consent\"), then run oauthctl apply."
  needs   = "administrator"
}

error "AADSTS650052" {
  name    = "service not enabled"
  meaning = "The app needs a service that the organization has not subscribed to or enabled."
  cause   = "The tenant has no subscription for the API, or its service principal is missing."
  remedy  = "Ask an administrator of the tenant to enable the service, or remove its scopes."
  needs   = "administrator"
}


# --- permissions of the registration

error "AADSTS65005" {
  name    = "MisconfiguredApplication"
  meaning = "The app asked for a resource that its registration does not list."
  cause   = "The registration does not list a permission for this API, or the scope names another API than was meant."
  remedy  = "Add the permission under API permissions and consent again, or correct scopes."
  needs   = "configuration"
}

error "AADSTS650056" {
  name    = "misconfigured application"
  meaning = "The registration lists no permission of this resource, or the administrator has not consented."
  cause   = "The registration does not list a permission for this API, or the scope names another API than was meant."
  remedy  = "Add the permission under API permissions and consent again, or correct scopes."
  needs   = "configuration"
}

error "AADSTS650057" {
  name    = "invalid resource"
  meaning = "The resource is not among the requested permissions of the registration."
  cause   = "The registration does not list a permission for this API, or the scope names another API than was meant."
  remedy  = "Add the permission under API permissions and consent again, or correct scopes."
  needs   = "configuration"
}

error "AADSTS650054" {
  name    = "resource removed"
  meaning = "The app asked for a resource that no longer exists."
  cause   = "An API was removed from the tenant."
  remedy  = "Remove its scopes from the connection and its permission from the registration."
  needs   = "configuration"
}


# --- resource and scopes

error "AADSTS50001" {
  name    = "InvalidResource"
  meaning = "The resource is disabled or does not exist."
  cause   = "The URI before the last slash of a scope is misspelt, or the API is not in the tenant."
  remedy  = "Compare scopes with the API's documentation."
  needs   = "configuration"
}

error "AADSTS500011" {
  name    = "InvalidResourceServicePrincipalNotFound"
  meaning = "The resource has no service principal in the tenant."
  cause   = "A scope names an API that the tenant does not have, or tenant is not the one that was meant."
  remedy  = "Compare scopes and tenant; else ask an administrator to install the API in the tenant."
  needs   = "configuration"
}

error "AADSTS28002" {
  name    = "scope not valid"
  meaning = "A scope is not valid when a token is asked for."
  cause   = "A scope is misspelt or unknown to its API."
  remedy  = "Correct scopes."
  needs   = "configuration"
}

error "AADSTS28003" {
  name    = "scope empty"
  meaning = "The scope is empty when the code is redeemed."
  cause   = "The connection asks for no scopes."
  remedy  = "Set scopes, for example [\"User.Read\"]."
  needs   = "configuration"
}

error "AADSTS70011" {
  name    = "InvalidScope"
  meaning = "The scope is not valid."
  cause   = "A scope is misspelt, names several resources, or a client-credentials grant asks for something else than RESOURCE/.default."
  remedy  = "Correct scopes; for client credentials write one RESOURCE/.default."
  needs   = "configuration"
}

error "AADSTS28000" {
  name    = "several resources"
  meaning = "The scopes belong to more than one resource."
  cause   = "A token is for one resource only."
  remedy  = "Keep the scopes of one resource in a connection, and make another connection for the next."
  needs   = "configuration"
}

error "AADSTS700022" {
  name    = "InvalidMultipleResourcesScope"
  meaning = "The scopes belong to more than one resource."
  cause   = "A token is for one resource only."
  remedy  = "Keep the scopes of one resource in a connection, and make another connection for the next."
  needs   = "configuration"
}

error "AADSTS700023" {
  name    = "InvalidResourcelessScope"
  meaning = "The scope names no resource."
  cause   = "Only scopes such as openid or offline_access were asked for."
  remedy  = "Add a scope of a resource, for example User.Read."
  needs   = "configuration"
}

error "AADSTS1002012" {
  name    = "scope of client credentials not valid"
  meaning = "The scope does not suit client credentials."
  cause   = "Client credentials take the scope RESOURCE/.default only."
  remedy  = "Write scopes = [\"https://graph.microsoft.com/.default\"], or the .default of another resource."
  needs   = "configuration"
  source  = "https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow"
}

error "AADSTS901002" {
  name    = "resource not supported"
  meaning = "The parameter resource is not supported."
  cause   = "The parameter belongs to the old v1 endpoints."
  remedy  = "Remove resource, and name the resource in scopes: RESOURCE/.default."
  needs   = "configuration"
}


# --- a sign-in or second factor is wanted

error "AADSTS16000" {
  name    = "InteractionRequired"
  meaning = "The account cannot be chosen without the person, or is not in the tenant."
  cause   = "Several accounts are signed in, or the one that is does not belong to this tenant."
  remedy  = "Sign in again with the right account: oauthctl apply; account or login_hint names it in advance."
  needs   = "person"
}

error "AADSTS50058" {
  name    = "UserInformationNotProvided"
  meaning = "Nobody is signed in."
  cause   = "A silent sign-in found no session."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS50072" {
  name    = "UserStrongAuthEnrollmentRequiredInterrupt"
  meaning = "The user has to enrol for a second factor."
  cause   = "A rule of the tenant wants more than the session has: the rule, the network or the device has changed, or the proof has become too old."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS50074" {
  name    = "UserStrongAuthClientAuthNRequiredInterrupt"
  meaning = "A second factor is required and was not passed."
  cause   = "A rule of the tenant wants more than the session has: the rule, the network or the device has changed, or the proof has become too old."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS50076" {
  name    = "UserStrongAuthClientAuthNRequired"
  meaning = "A second factor is required."
  cause   = "A rule of the tenant wants more than the session has: the rule, the network or the device has changed, or the proof has become too old."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS50078" {
  name    = "UserStrongAuthExpired"
  meaning = "The second factor was given too long ago."
  cause   = "A rule of the tenant wants more than the session has: the rule, the network or the device has changed, or the proof has become too old."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS50079" {
  name    = "UserStrongAuthEnrollmentRequired"
  meaning = "The user has to register for a second factor."
  cause   = "A rule of the tenant wants more than the session has: the rule, the network or the device has changed, or the proof has become too old."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS50097" {
  name    = "DeviceAuthenticationRequired"
  meaning = "The device has to prove itself."
  cause   = "A Conditional Access rule wants a known device."
  remedy  = "Sign in again in a browser on a managed device: oauthctl apply."
  needs   = "person"
}

error "AADSTS50125" {
  name    = "PasswordResetRegistrationRequiredInterrupt"
  meaning = "The sign-in was interrupted for a password reset or its registration."
  cause   = "A rule of the tenant wants more than the session has: the rule, the network or the device has changed, or the proof has become too old."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS50140" {
  name    = "KmsiInterrupt"
  meaning = "The page \"Stay signed in?\" was shown."
  cause   = "A page of the sign-in was not answered."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS50158" {
  name    = "ExternalSecurityChallenge"
  meaning = "A security challenge of another vendor was not satisfied."
  cause   = "A rule of the tenant wants more than the session has: the rule, the network or the device has changed, or the proof has become too old."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS50199" {
  name    = "CmsiInterrupt"
  meaning = "The person has to confirm which app is signed in to."
  cause   = "A page of the sign-in was not answered."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS700020" {
  name    = "InteractionRequired"
  meaning = "The grant requires the person."
  cause   = "A rule of the tenant wants more than the session has: the rule, the network or the device has changed, or the proof has become too old."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS9002341" {
  name    = "single sign-on not permitted"
  meaning = "The user has to permit single sign-on."
  cause   = "A page of the sign-in was not answered."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
}


# --- the session was ended

error "AADSTS50055" {
  name    = "InvalidPasswordExpiredPassword"
  meaning = "The password has expired."
  cause   = "The password is too old."
  remedy  = "Change the password, then sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS50144" {
  name    = "InvalidPasswordExpiredOnPremPassword"
  meaning = "The password in the company's own Active Directory has expired."
  cause   = "The password is too old."
  remedy  = "Change the password, then sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS50085" {
  name    = "social sign-in needed"
  meaning = "The refresh token needs a sign-in at the other identity provider."
  cause   = "The password was changed, or an administrator or the person revoked the sessions."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS50089" {
  name    = "flow token expired"
  meaning = "The sign-in, code or session has expired."
  cause   = "The password was changed, or an administrator or the person revoked the sessions."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS50132" {
  name    = "SsoArtifactInvalidOrExpired"
  meaning = "The session is not valid, because the password expired or was changed."
  cause   = "The password was changed, or an administrator or the person revoked the sessions."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS50133" {
  name    = "SsoArtifactRevoked"
  meaning = "The session was revoked, because the password expired or was changed."
  cause   = "The password was changed, or an administrator or the person revoked the sessions."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS50173" {
  name    = "FreshTokenNeeded"
  meaning = "The grant was revoked, and a fresh sign-in is needed."
  cause   = "The password was changed, or an administrator or the person revoked the sessions."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS70043" {
  name    = "BadTokenDueToSignInFrequency"
  meaning = "The refresh token is older than the tenant's sign-in frequency allows."
  cause   = "A Conditional Access rule limits how long a sign-in lasts."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS70000" {
  name    = "InvalidGrant"
  meaning = "The refresh token or code is not valid."
  cause   = "It was issued to another app, tenant or user, was revoked, or was copied wrongly."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS70008" {
  name    = "ExpiredOrRevokedGrant"
  meaning = "The code or refresh token has expired."
  cause   = "A code lives about 10 minutes, a refresh token 90 days without use."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS700082" {
  name    = "ExpiredOrRevokedGrantInactiveToken"
  meaning = "The refresh token was not used for too long."
  cause   = "It was not used for 90 days."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS700084" {
  name    = "single-page refresh token expired"
  meaning = "The refresh token of a single-page app has reached its fixed end."
  cause   = "Refresh tokens of the platform \"Single-page application\" end 24 hours after the sign-in, used or not."
  remedy  = "Sign in again: oauthctl apply. To avoid it, register the redirect URI for \"Mobile and desktop applications\" and remove application_type = \"spa\"."
  needs   = "person"
}


# --- the code

error "AADSTS54005" {
  name    = "code already redeemed"
  meaning = "The code has been redeemed already."
  cause   = "A code works once; a proxy or a second process sent it again."
  remedy  = "Start again: oauthctl apply."
  needs   = "person"
}

error "AADSTS501481" {
  name    = "code_verifier does not match"
  meaning = "The code_verifier does not fit the code_challenge."
  cause   = "The pasted URL belongs to another run of oauthctl."
  remedy  = "Start again: oauthctl apply."
  needs   = "person"
}

error "AADSTS700005" {
  name    = "InvalidGrantRedeemAgainstWrongTenant"
  meaning = "The code was issued by another tenant than the one it was sent to."
  cause   = "The authority changed between the sign-in and the redemption."
  remedy  = "Check tenant, then start again: oauthctl apply."
  needs   = "person"
}

error "AADSTS50147" {
  name    = "MissingCodeChallenge"
  meaning = "The code_challenge has a wrong size."
  cause   = "Something between oauthctl and the browser shortened the URL."
  remedy  = "Open the whole URL, then start again: oauthctl apply."
  needs   = "person"
}

error "AADSTS501491" {
  name    = "InvalidCodeChallengeMethodInvalidSize"
  meaning = "The code_challenge has a wrong size."
  cause   = "Something between oauthctl and the browser shortened the URL."
  remedy  = "Open the whole URL, then start again: oauthctl apply."
  needs   = "person"
}


# --- rules of the tenant

error "AADSTS50131" {
  name    = "ConditionalAccessFailed"
  meaning = "Conditional Access blocked the request."
  cause   = "A Conditional Access rule or the security defaults of the tenant block this device, place or app."
  remedy  = "Sign in from a device or network that the rule allows, or ask an administrator of the tenant; the sign-in log names the rule."
  needs   = "administrator"
}

error "AADSTS53000" {
  name    = "DeviceNotCompliant"
  meaning = "The device is not compliant."
  cause   = "A Conditional Access rule or the security defaults of the tenant block this device, place or app."
  remedy  = "Sign in from a device or network that the rule allows, or ask an administrator of the tenant; the sign-in log names the rule."
  needs   = "administrator"
}

error "AADSTS53001" {
  name    = "DeviceNotDomainJoined"
  meaning = "The device is not joined to the domain."
  cause   = "A Conditional Access rule or the security defaults of the tenant block this device, place or app."
  remedy  = "Sign in from a device or network that the rule allows, or ask an administrator of the tenant; the sign-in log names the rule."
  needs   = "administrator"
}

error "AADSTS53002" {
  name    = "ApplicationUsedIsNotAnApprovedApp"
  meaning = "The app is not one of the approved apps."
  cause   = "A Conditional Access rule or the security defaults of the tenant block this device, place or app."
  remedy  = "Sign in from a device or network that the rule allows, or ask an administrator of the tenant; the sign-in log names the rule."
  needs   = "administrator"
}

error "AADSTS53003" {
  name    = "BlockedByConditionalAccess"
  meaning = "Conditional Access blocked access."
  cause   = "A Conditional Access rule or the security defaults of the tenant block this device, place or app."
  remedy  = "Sign in from a device or network that the rule allows, or ask an administrator of the tenant; the sign-in log names the rule."
  needs   = "administrator"
}

error "AADSTS530032" {
  name    = "BlockedByConditionalAccessOnSecurityPolicy"
  meaning = "A security policy of the tenant blocked the request."
  cause   = "A Conditional Access rule or the security defaults of the tenant block this device, place or app."
  remedy  = "Sign in from a device or network that the rule allows, or ask an administrator of the tenant; the sign-in log names the rule."
  needs   = "administrator"
}

error "AADSTS530035" {
  name    = "BlockedBySecurityDefaults"
  meaning = "The security defaults of the tenant blocked the request."
  cause   = "A Conditional Access rule or the security defaults of the tenant block this device, place or app."
  remedy  = "Sign in from a device or network that the rule allows, or ask an administrator of the tenant; the sign-in log names the rule."
  needs   = "administrator"
}

error "AADSTS53004" {
  name    = "ProofUpBlockedDueToRisk"
  meaning = "The user has to register for a second factor, and is not allowed to from here."
  cause   = "The sign-in counts as risky, so that the registration is blocked."
  remedy  = "Sign in from a device or network that the rule allows, or ask an administrator of the tenant; the sign-in log names the rule."
  needs   = "administrator"
}

error "AADSTS53011" {
  name    = "blocked for risk"
  meaning = "The user is blocked because of risk in the home tenant."
  cause   = "The account counts as compromised."
  remedy  = "Sign in from a device or network that the rule allows, or ask an administrator of the tenant; the sign-in log names the rule."
  needs   = "administrator"
}

error "AADSTS50005" {
  name    = "DevicePolicyError"
  meaning = "The platform of the device is not supported by a rule."
  cause   = "A Conditional Access rule or the security defaults of the tenant block this device, place or app."
  remedy  = "Sign in from a device or network that the rule allows, or ask an administrator of the tenant; the sign-in log names the rule."
  needs   = "administrator"
}

error "AADSTS500212" {
  name    = "NotAllowedByOutboundPolicyTenant"
  meaning = "The user's own tenant does not let the user into this tenant."
  cause   = "The cross-tenant access settings of the user's tenant."
  remedy  = "Sign in from a device or network that the rule allows, or ask an administrator of the tenant; the sign-in log names the rule."
  needs   = "administrator"
}

error "AADSTS500213" {
  name    = "NotAllowedByInboundPolicyTenant"
  meaning = "This tenant does not let the user in."
  cause   = "The cross-tenant access settings of this tenant."
  remedy  = "Sign in from a device or network that the rule allows, or ask an administrator of the tenant; the sign-in log names the rule."
  needs   = "administrator"
}

error "AADSTS500021" {
  name    = "tenant restricted"
  meaning = "The network lets nobody sign in to this tenant."
  cause   = "A proxy adds Restrict-Access-To-Tenants."
  remedy  = "Sign in from a device or network that the rule allows, or ask an administrator of the tenant; the sign-in log names the rule."
  needs   = "administrator"
}


# --- the account

error "AADSTS50053" {
  name    = "IdsLocked"
  meaning = "The account is locked, or the address is blocked."
  cause   = "Too many wrong passwords, or traffic from an address with a bad name."
  remedy  = "Wait an hour and sign in again, or ask an administrator of the tenant."
  needs   = "administrator"
}

error "AADSTS50057" {
  name    = "UserDisabled"
  meaning = "The account is disabled."
  cause   = "An administrator disabled it."
  remedy  = "Ask an administrator of the tenant, or consent with another account."
  needs   = "administrator"
}

error "AADSTS50105" {
  name    = "EntitlementGrantsNotFound"
  meaning = "The user is not assigned to the app."
  cause   = "The app demands an assignment, and the user has none."
  remedy  = "Ask an administrator to assign the user under Enterprise applications, Users and groups."
  needs   = "administrator"
}

error "AADSTS50126" {
  name    = "InvalidUserNameOrPassword"
  meaning = "User name or password is wrong."
  cause   = "They were mistyped."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
}

error "AADSTS50135" {
  name    = "PasswordChangeCompromisedPassword"
  meaning = "The password has to be changed, because the account is at risk."
  cause   = "The password is known to others."
  remedy  = "Change the password, then sign in again: oauthctl apply."
  needs   = "person"
}


# --- the account and the tenant

error "AADSTS16003" {
  name    = "SsoUserAccountNotFoundInResourceTenant"
  meaning = "The account was not added to the tenant."
  cause   = "tenant is not the account's, or somebody signed in with another account than was meant."
  remedy  = "Choose another account, set tenant to the account's own, or let an administrator invite the account as a guest."
  needs   = "configuration"
}

error "AADSTS50014" {
  name    = "GuestUserInPendingState"
  meaning = "The account is not, or not yet, in the directory."
  cause   = "tenant is not the account's, or somebody signed in with another account than was meant."
  remedy  = "Choose another account, set tenant to the account's own, or let an administrator invite the account as a guest."
  needs   = "configuration"
}

error "AADSTS50020" {
  name    = "UserUnauthorized"
  meaning = "The account is not in the tenant."
  cause   = "tenant is not the account's, or somebody signed in with another account than was meant."
  remedy  = "Choose another account, set tenant to the account's own, or let an administrator invite the account as a guest."
  needs   = "configuration"
}

error "AADSTS50034" {
  name    = "UserAccountNotFound"
  meaning = "The account is not in the directory."
  cause   = "tenant is not the account's, or somebody signed in with another account than was meant."
  remedy  = "Choose another account, set tenant to the account's own, or let an administrator invite the account as a guest."
  needs   = "configuration"
}

error "AADSTS51004" {
  name    = "UserAccountNotInDirectory"
  meaning = "The account is not in the directory."
  cause   = "tenant is not the account's, or somebody signed in with another account than was meant."
  remedy  = "Choose another account, set tenant to the account's own, or let an administrator invite the account as a guest."
  needs   = "configuration"
}

error "AADSTS90072" {
  name    = "PassThroughUserMfaError"
  meaning = "The account is not in the tenant, so that its second factor cannot be checked."
  cause   = "tenant is not the account's, or somebody signed in with another account than was meant."
  remedy  = "Choose another account, set tenant to the account's own, or let an administrator invite the account as a guest."
  needs   = "configuration"
}

error "AADSTS500208" {
  name    = "domain not valid for the account type"
  meaning = "The account is of a kind that this authority does not take."
  cause   = "A personal account signed in where only work accounts may, or the other way round."
  remedy  = "Set tenant = \"consumers\" for personal accounts, \"organizations\" or the tenant for work accounts."
  needs   = "configuration"
}


# --- tenant and cloud

error "AADSTS50059" {
  name    = "MissingTenantRealmAndNoUserInformationProvided"
  meaning = "The request does not say which tenant is meant."
  cause   = "The argument tenant is misspelt, missing, or of another cloud."
  remedy  = "Set tenant to the id or a verified domain of the tenant."
  needs   = "configuration"
}

error "AADSTS50128" {
  name    = "tenant not found from the domain"
  meaning = "The domain names no tenant."
  cause   = "The argument tenant is misspelt, missing, or of another cloud."
  remedy  = "Set tenant to the id or a verified domain of the tenant."
  needs   = "configuration"
}

error "AADSTS90002" {
  name    = "InvalidTenantName"
  meaning = "The tenant was not found."
  cause   = "The argument tenant is misspelt, missing, or of another cloud."
  remedy  = "Set tenant to the id or a verified domain of the tenant."
  needs   = "configuration"
}

error "AADSTS90019" {
  name    = "MissingTenantRealm"
  meaning = "The tenant cannot be found from the request."
  cause   = "The argument tenant is misspelt, missing, or of another cloud."
  remedy  = "Set tenant to the id or a verified domain of the tenant."
  needs   = "configuration"
}

error "AADSTS50049" {
  name    = "NoSuchInstanceForDiscovery"
  meaning = "The cloud is unknown."
  cause   = "The host is not one of Microsoft's."
  remedy  = "Check cloud."
  needs   = "configuration"
}

error "AADSTS90038" {
  name    = "NationalCloudTenantRedirection"
  meaning = "The tenant belongs to another national cloud."
  cause   = "The tenant is in the cloud of a government or of China."
  remedy  = "Set cloud to the tenant's."
  needs   = "configuration"
}

error "AADSTS900439" {
  name    = "national cloud not allowed"
  meaning = "The app belongs to another national cloud."
  cause   = "App and tenant are in different clouds."
  remedy  = "Set cloud, and register the app there."
  needs   = "configuration"
  source  = "https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud"
}

error "AADSTS900432" {
  name    = "cross-cloud confidential client"
  meaning = "A client with a secret cannot cross clouds."
  cause   = "App and tenant are in different clouds."
  remedy  = "Register the app in the cloud of the tenant."
  needs   = "configuration"
}

error "AADSTS50194" {
  name    = "not multi-tenant"
  meaning = "The app is for one tenant, and the request was sent to common."
  cause   = "The registration supports \"this organizational directory only\"."
  remedy  = "Set tenant to the id of the app's tenant."
  needs   = "configuration"
}

error "AADSTS90130" {
  name    = "NonConvergedAppV2GlobalEndpointNotSupported"
  meaning = "The app cannot be used on common or consumers."
  cause   = "The registration does not support personal accounts."
  remedy  = "Set tenant = \"organizations\" or the id of a tenant."
  needs   = "configuration"
}

error "AADSTS90124" {
  name    = "V1ResourceV2GlobalEndpointNotSupported"
  meaning = "The resource cannot be used on common or consumers."
  cause   = "The API does not support personal accounts."
  remedy  = "Set tenant = \"organizations\" or the id of a tenant."
  needs   = "configuration"
}

error "AADSTS9002332" {
  name    = "work accounts only"
  meaning = "The app is for work accounts only, and the request was sent to consumers."
  cause   = "The registration does not support personal accounts."
  remedy  = "Set tenant to the id of a tenant, or let the registration support personal accounts."
  needs   = "configuration"
}

error "AADSTS9001023" {
  name    = "grant not supported on common"
  meaning = "The grant cannot be used on common or consumers."
  cause   = "Client credentials need a tenant."
  remedy  = "Set tenant to the id of a tenant."
  needs   = "configuration"
}


# --- the app

error "AADSTS700016" {
  name    = "UnauthorizedClient_DoesNotMatchRequest"
  meaning = "The app was not found in the tenant."
  cause   = "client_id or tenant is wrong, or the app is registered in another tenant or cloud."
  remedy  = "Compare client_id with \"Application (client) ID\" and tenant with \"Directory (tenant) ID\" on the app's overview page."
  needs   = "configuration"
}

error "AADSTS700011" {
  name    = "UnauthorizedClientAppNotFoundInOrgIdTenant"
  meaning = "The app was not found in the directory."
  cause   = "client_id or tenant is wrong, or the app is registered in another tenant or cloud."
  remedy  = "Compare client_id with \"Application (client) ID\" and tenant with \"Directory (tenant) ID\" on the app's overview page."
  needs   = "configuration"
}

error "AADSTS70001" {
  name    = "UnauthorizedClient"
  meaning = "The app is disabled or unknown."
  cause   = "An administrator switched the app off, or client_id is wrong."
  remedy  = "Ask an administrator of the tenant."
  needs   = "administrator"
}

error "AADSTS7000112" {
  name    = "UnauthorizedClientApplicationDisabled"
  meaning = "The app is disabled."
  cause   = "An administrator switched the app off."
  remedy  = "Ask an administrator of the tenant."
  needs   = "administrator"
}

error "AADSTS1000031" {
  name    = "app cannot be accessed"
  meaning = "The app cannot be used at this time."
  cause   = "An administrator or Microsoft blocked the app."
  remedy  = "Ask an administrator of the tenant."
  needs   = "administrator"
}

error "AADSTS65002" {
  name    = "first-party consent"
  meaning = "An app of Microsoft's cannot be used by others in this way."
  cause   = "client_id is that of an app that Microsoft owns."
  remedy  = "Register an app of your own and set client_id."
  needs   = "configuration"
}


# --- client secret and public clients

error "AADSTS7000215" {
  name    = "invalid client secret"
  meaning = "The client secret is wrong."
  cause   = "Often the secret's id was copied instead of its value."
  remedy  = "Set client_secret to the value, which is shown once, when the secret is made (Certificates & secrets)."
  needs   = "configuration"
}

error "AADSTS70002" {
  name    = "InvalidClient"
  meaning = "The client could not be authenticated."
  cause   = "The client secret is wrong."
  remedy  = "Set client_secret to the value of a secret under Certificates & secrets."
  needs   = "configuration"
}

error "AADSTS7000222" {
  name    = "InvalidClientSecretExpiredKeysProvided"
  meaning = "The client secret has expired."
  cause   = "Every secret has an end date."
  remedy  = "Make a new secret under Certificates & secrets and set client_secret, or use a certificate or a federated credential."
  needs   = "configuration"
}

error "AADSTS7000218" {
  name    = "client_secret or client_assertion missing"
  meaning = "The request must prove the client."
  cause   = "The redirect URI is registered for the platform Web, or the app does not allow public client flows."
  remedy  = "Set client_secret; or move the redirect URI to \"Mobile and desktop applications\" and switch on \"Allow public client flows\" under Authentication."
  needs   = "configuration"
}

error "AADSTS700025" {
  name    = "InvalidClientPublicClientWithCredential"
  meaning = "A public client must not send a secret or assertion."
  cause   = "The app is registered as a public client, but the connection has a secret."
  remedy  = "Remove client_secret."
  needs   = "configuration"
}


# --- certificates, assertions and federated credentials

error "AADSTS50012" {
  name    = "AuthenticationFailed"
  meaning = "The client assertion was not accepted."
  cause   = "Another key or certificate signed the assertion than the registration knows, or the clock is wrong."
  remedy  = "Compare the certificate with the registration's (Certificates & secrets), and the clock of this machine."
  needs   = "configuration"
}

error "AADSTS700027" {
  name    = "assertion signature"
  meaning = "The signature of the client assertion is not valid."
  cause   = "Another key or certificate signed the assertion than the registration knows, or the clock is wrong."
  remedy  = "Compare the certificate with the registration's (Certificates & secrets), and the clock of this machine."
  needs   = "configuration"
}

error "AADSTS700030" {
  name    = "certificate subject"
  meaning = "The subject of the certificate is not authorized."
  cause   = "Another key or certificate signed the assertion than the registration knows, or the clock is wrong."
  remedy  = "Compare the certificate with the registration's (Certificates & secrets), and the clock of this machine."
  needs   = "configuration"
}

error "AADSTS700024" {
  name    = "assertion not valid now"
  meaning = "The client assertion is not within its time."
  cause   = "The clock of this machine is wrong, or the assertion lives too long."
  remedy  = "Set the clock of this machine, and leave lifetime in client_assertion out."
  needs   = "configuration"
}

error "AADSTS50013" {
  name    = "InvalidAssertion"
  meaning = "The assertion is not valid."
  cause   = "It has expired, is malformed, or was issued by somebody else than expected."
  remedy  = "Get a fresh token for the exchange, and check the clock of this machine."
  needs   = "configuration"
}

error "AADSTS500133" {
  name    = "assertion expired"
  meaning = "The assertion is not within its time."
  cause   = "The token that was exchanged is too old, or the clock is wrong."
  remedy  = "Get a fresh token for the exchange, and check the clock of this machine."
  needs   = "configuration"
}

error "AADSTS50027" {
  name    = "InvalidJwtToken"
  meaning = "The JWT is not valid."
  cause   = "A claim is missing, or issuer, audience or time do not fit."
  remedy  = "Compare iss, aud and exp of the token with what the registration expects."
  needs   = "configuration"
}

error "AADSTS70021" {
  name    = "no matching federated credential"
  meaning = "No federated credential matches the token (yet)."
  cause   = "A new federated credential takes some minutes to be known everywhere; else issuer, subject or audience differ."
  remedy  = "Try again in some minutes; if it stays so, compare issuer, subject and audience with the federated credential."
  needs   = "retry"
  source  = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations"
}

error "AADSTS700211" {
  name    = "no federated credential for the issuer"
  meaning = "No federated credential has the issuer of the token."
  cause   = "The issuer differs; case and a trailing slash count."
  remedy  = "Compare the issuer of the federated credential with the token's iss."
  needs   = "configuration"
  source  = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
}

error "AADSTS700212" {
  name    = "no federated credential for the audience"
  meaning = "No federated credential has the audience of the token."
  cause   = "The token was issued for somebody else than api://AzureADTokenExchange, or than the audience of the federated credential."
  remedy  = "Let the platform issue the token for the audience of the federated credential."
  needs   = "configuration"
  source  = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
}

error "AADSTS700213" {
  name    = "no federated credential for the subject"
  meaning = "No federated credential has the subject of the token."
  cause   = "The subject differs: another repository, branch, environment or service account."
  remedy  = "Compare the subject of the federated credential with the token's sub."
  needs   = "configuration"
  source  = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
}

error "AADSTS7002138" {
  name    = "federated subject differs in case"
  meaning = "The subject differs from the federated credential's only in case."
  cause   = "Case counts."
  remedy  = "Write the subject of the federated credential exactly as the token's sub."
  needs   = "configuration"
  source  = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
}

error "AADSTS700229" {
  name    = "ForbiddenTokenType"
  meaning = "Only app-only tokens can be federated credentials."
  cause   = "The token was issued to a person."
  remedy  = "Use a token of client credentials."
  needs   = "configuration"
}


# --- device code

error "AADSTS70016" {
  name    = "AuthorizationPending"
  meaning = "The code has not been entered yet."
  cause   = "The person is still signing in."
  remedy  = "Enter the code on the page that was shown."
  needs   = "person"
}

error "AADSTS70018" {
  name    = "BadVerificationCode"
  meaning = "A wrong code was entered."
  cause   = "The code was mistyped."
  remedy  = "Run oauthctl apply again and enter the new code."
  needs   = "person"
}

error "AADSTS70019" {
  name    = "CodeExpired"
  meaning = "The code was not entered in time."
  cause   = "A code lives 15 minutes."
  remedy  = "Run oauthctl apply again and enter the new code."
  needs   = "person"
}

error "AADSTS90119" {
  name    = "InvalidUserCode"
  meaning = "The code is empty."
  cause   = "The code was not entered."
  remedy  = "Run oauthctl apply again and enter the new code."
  needs   = "person"
}

error "AADSTS90120" {
  name    = "InvalidDeviceFlowRequest"
  meaning = "The request was already authorized or declined."
  cause   = "The code was entered twice."
  remedy  = "Run oauthctl apply again."
  needs   = "person"
}


# --- the request

error "AADSTS90013" {
  name    = "InvalidUserInput"
  meaning = "The input is not valid."
  cause   = "A parameter is missing or wrong: authorize_params or token_params of the connection, or a proxy that changes requests."
  remedy  = "Remove authorize_params and token_params and try again; if it stays so, report it with the correlation id of the message."
  needs   = "configuration"
}

error "AADSTS90014" {
  name    = "MissingRequiredField"
  meaning = "A required field is missing."
  cause   = "A parameter is missing or wrong: authorize_params or token_params of the connection, or a proxy that changes requests."
  remedy  = "Remove authorize_params and token_params and try again; if it stays so, report it with the correlation id of the message."
  needs   = "configuration"
}

error "AADSTS900144" {
  name    = "parameter missing"
  meaning = "The body lacks a required parameter."
  cause   = "A parameter is missing or wrong: authorize_params or token_params of the connection, or a proxy that changes requests."
  remedy  = "Remove authorize_params and token_params and try again; if it stays so, report it with the correlation id of the message."
  needs   = "configuration"
}

error "AADSTS90023" {
  name    = "InvalidRequest"
  meaning = "The request is not valid."
  cause   = "A parameter is missing or wrong: authorize_params or token_params of the connection, or a proxy that changes requests."
  remedy  = "Remove authorize_params and token_params and try again; if it stays so, report it with the correlation id of the message."
  needs   = "configuration"
}

error "AADSTS9002313" {
  name    = "InvalidRequest"
  meaning = "The request is malformed."
  cause   = "A parameter is missing or wrong: authorize_params or token_params of the connection, or a proxy that changes requests."
  remedy  = "Remove authorize_params and token_params and try again; if it stays so, report it with the correlation id of the message."
  needs   = "configuration"
}

error "AADSTS90100" {
  name    = "InvalidRequestParameter"
  meaning = "A parameter is empty or not valid."
  cause   = "A parameter is missing or wrong: authorize_params or token_params of the connection, or a proxy that changes requests."
  remedy  = "Remove authorize_params and token_params and try again; if it stays so, report it with the correlation id of the message."
  needs   = "configuration"
}

error "AADSTS90015" {
  name    = "QueryStringTooLong"
  meaning = "The URL is too long."
  cause   = "The connection asks for very many scopes."
  remedy  = "Ask for fewer scopes, or for RESOURCE/.default."
  needs   = "configuration"
}

error "AADSTS90056" {
  name    = "BadResourceRequest"
  meaning = "The token endpoint wants a POST with a code."
  cause   = "A parameter is missing or wrong: authorize_params or token_params of the connection, or a proxy that changes requests."
  remedy  = "Remove authorize_params and token_params and try again; if it stays so, report it with the correlation id of the message."
  needs   = "configuration"
}

error "AADSTS900561" {
  name    = "BadResourceRequestInvalidRequest"
  meaning = "The endpoint does not take this HTTP method."
  cause   = "A redirect or proxy changed POST to GET, or a browser's back button was used."
  remedy  = "Remove authorize_params and token_params and try again; if it stays so, report it with the correlation id of the message."
  needs   = "configuration"
}

error "AADSTS70003" {
  name    = "UnsupportedGrantType"
  meaning = "The grant is not supported."
  cause   = "The grant block names a grant that the authority does not have."
  remedy  = "Choose another grant."
  needs   = "configuration"
}

error "AADSTS70005" {
  name    = "UnsupportedResponseType"
  meaning = "The response type is not enabled for the app."
  cause   = "A parameter is missing or wrong: authorize_params or token_params of the connection, or a proxy that changes requests."
  remedy  = "Remove authorize_params and token_params and try again; if it stays so, report it with the correlation id of the message."
  needs   = "configuration"
}

error "AADSTS70007" {
  name    = "UnsupportedResponseMode"
  meaning = "The response mode is not supported."
  cause   = "response_mode has a value that does not fit the grant."
  remedy  = "Remove response_mode, or write \"query\" or \"form_post\"."
  needs   = "configuration"
}


# --- try again

error "AADSTS40010" {
  name    = "OAuth2IdPRetryableServerError"
  meaning = "The other identity provider failed."
  cause   = "A service of Microsoft, or one that it asks, does not answer at the moment."
  remedy  = "Try again in some minutes."
  needs   = "retry"
}

error "AADSTS50033" {
  name    = "RetryableError"
  meaning = "A failure that passes."
  cause   = "A service of Microsoft, or one that it asks, does not answer at the moment."
  remedy  = "Try again in some minutes."
  needs   = "retry"
}

error "AADSTS50087" {
  name    = "SasRetryableError"
  meaning = "The second factor failed in a way that passes."
  cause   = "A service of Microsoft, or one that it asks, does not answer at the moment."
  remedy  = "Try again in some minutes."
  needs   = "retry"
}

error "AADSTS50088" {
  name    = "limit of calls"
  meaning = "The limit of calls for the second factor is reached."
  cause   = "A service of Microsoft, or one that it asks, does not answer at the moment."
  remedy  = "Try again in some minutes."
  needs   = "retry"
}

error "AADSTS70012" {
  name    = "MsaServerError"
  meaning = "The service for personal accounts failed."
  cause   = "A service of Microsoft, or one that it asks, does not answer at the moment."
  remedy  = "Try again in some minutes."
  needs   = "retry"
}

error "AADSTS80005" {
  name    = "OnPremisePasswordValidatorUnpredictableWebException"
  meaning = "The company's own password service failed."
  cause   = "A service of Microsoft, or one that it asks, does not answer at the moment."
  remedy  = "Try again in some minutes."
  needs   = "retry"
}

error "AADSTS90006" {
  name    = "ExternalServerRetryableError"
  meaning = "A service does not answer."
  cause   = "A service of Microsoft, or one that it asks, does not answer at the moment."
  remedy  = "Try again in some minutes."
  needs   = "retry"
}

error "AADSTS90012" {
  name    = "RequestTimeout"
  meaning = "The request took too long."
  cause   = "A service of Microsoft, or one that it asks, does not answer at the moment."
  remedy  = "Try again in some minutes."
  needs   = "retry"
}

error "AADSTS90024" {
  name    = "RequestBudgetExceededError"
  meaning = "A failure that passes."
  cause   = "A service of Microsoft, or one that it asks, does not answer at the moment."
  remedy  = "Try again in some minutes."
  needs   = "retry"
}

error "AADSTS90033" {
  name    = "MsodsServiceUnavailable"
  meaning = "The directory does not answer."
  cause   = "A service of Microsoft, or one that it asks, does not answer at the moment."
  remedy  = "Try again in some minutes."
  needs   = "retry"
}

error "AADSTS90090" {
  name    = "GraphRetryableError"
  meaning = "The directory does not answer."
  cause   = "A service of Microsoft, or one that it asks, does not answer at the moment."
  remedy  = "Try again in some minutes."
  needs   = "retry"
}

error "AADSTS90055" {
  name    = "TenantThrottlingError"
  meaning = "The tenant sends too many requests."
  cause   = "Some program of the tenant asks too often."
  remedy  = "Wait some minutes, and find out from the sign-in log which app asks so often."
  needs   = "retry"
}

error "AADSTS50196" {
  name    = "LoopDetected"
  meaning = "The client repeats the same request."
  cause   = "Something asks for new tokens again and again, such as -force-refresh in a loop."
  remedy  = "Stop it, wait some minutes, and let \"oauthctl token\" decide when to refresh."
  needs   = "retry"
}

# --- suberror, beside the error code

error "basic_action" {
  name    = "something to do at the sign-in"
  meaning = "The person can settle it by an ordinary sign-in."
  cause   = "A rule of the tenant wants a second factor or the like."
  remedy  = "Sign in again: oauthctl apply."
  needs   = "person"
  source  = "https://learn.microsoft.com/entra/msal/dotnet/advanced/exceptions/msal-error-handling"
}

error "additional_action" {
  name    = "something to do elsewhere"
  meaning = "The person can settle it by steps outside of the sign-in."
  cause   = "A rule wants a device that is enrolled, or the company's network."
  remedy  = "Sign in again and follow the page: oauthctl apply."
  needs   = "person"
  source  = "https://learn.microsoft.com/entra/msal/dotnet/advanced/exceptions/msal-error-handling"
}

error "message_only" {
  name    = "nothing that the person can do"
  meaning = "The page explains why access is refused."
  cause   = "A rule of the tenant blocks access."
  remedy  = "Sign in again to read the explanation (oauthctl apply), and ask an administrator of the tenant."
  needs   = "administrator"
  source  = "https://learn.microsoft.com/entra/msal/dotnet/advanced/exceptions/msal-error-handling"
}

error "user_password_expired" {
  name    = "password expired"
  meaning = "The password of the account has expired."
  cause   = "The password is too old."
  remedy  = "Change the password, then sign in again: oauthctl apply."
  needs   = "person"
  source  = "https://learn.microsoft.com/entra/msal/dotnet/advanced/exceptions/msal-error-handling"
}
