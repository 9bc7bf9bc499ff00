# Errors of Microsoft Entra ID, by the number in error_description.
# Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes

hint "*" {
  match  = ["AADSTS50011", "AADSTS70004", "AADSTS900971"]
  cause  = "The redirect URI is not registered for this application; path, case and platform type count."
  remedy = "Register the redirect URI that the plan shows under Authentication, platform \"Mobile and desktop applications\"; for loopback: http://localhost."
  needs  = "configuration"
}

hint "*" {
  match  = ["AADSTS65001"]
  cause  = "The user or an administrator has not consented to this application."
  remedy = "Consent in the browser: oauthctl apply."
  needs  = "person"
}

hint "*" {
  match  = ["AADSTS65004"]
  cause  = "The person declined to consent."
  remedy = "Run oauthctl apply again and consent, or ask for fewer scopes."
  needs  = "person"
}

hint "*" {
  match  = ["AADSTS90094", "AADSTS90095"]
  cause  = "Only an administrator may consent to these scopes."
  remedy = "Ask an administrator of the tenant to grant consent to the application, then run oauthctl apply."
  needs  = "administrator"
}

hint "*" {
  match  = ["AADSTS65005", "AADSTS650052", "AADSTS650056", "AADSTS650057", "AADSTS500011", "AADSTS50001"]
  cause  = "The resource is unknown in this tenant, or the application's registration does not list the permission."
  remedy = "Add the permission under API permissions, or correct the scope or the tenant."
  needs  = "configuration"
}

hint "*" {
  match  = ["AADSTS50072", "AADSTS50074", "AADSTS50076", "AADSTS50078", "AADSTS50079", "AADSTS50158", "AADSTS700020", "AADSTS16000", "AADSTS50058"]
  cause  = "Microsoft wants a second factor or a fresh sign-in."
  remedy = "Sign in again: oauthctl apply."
  needs  = "person"
}

hint "*" {
  match  = ["AADSTS50085", "AADSTS50089", "AADSTS50132", "AADSTS50133", "AADSTS50173", "AADSTS70043", "AADSTS50055", "AADSTS50144"]
  cause  = "The session was ended: a password change, an administrator, or a sign-in rule."
  remedy = "Sign in again: oauthctl apply."
  needs  = "person"
}

hint "*" {
  match  = ["AADSTS70000", "AADSTS70008", "AADSTS700082"]
  cause  = "The refresh token or code has expired; a refresh token ends after 90 days without use."
  remedy = "Sign in again: oauthctl apply."
  needs  = "person"
}

hint "*" {
  match  = ["AADSTS700084"]
  cause  = "The refresh token of a single-page registration ends 24 hours after the sign-in."
  remedy = "Sign in again: oauthctl apply. To avoid it, register the redirect URI under \"Mobile and desktop applications\" instead."
  needs  = "person"
}

hint "*" {
  match  = ["AADSTS50131", "AADSTS53000", "AADSTS53001", "AADSTS53002", "AADSTS53003", "AADSTS53004", "AADSTS530032", "AADSTS530035"]
  cause  = "A Conditional Access rule of the tenant blocks this sign-in: device, location or application."
  remedy = "Use a device or network that the rule allows, or ask an administrator of the tenant."
  needs  = "administrator"
}

hint "*" {
  match  = ["AADSTS50105"]
  cause  = "The application demands that users are assigned to it, and this one is not."
  remedy = "Ask an administrator to assign the user under Enterprise applications."
  needs  = "administrator"
}

hint "*" {
  match  = ["AADSTS50057", "AADSTS50053", "AADSTS70001", "AADSTS7000112"]
  cause  = "The account or the application is disabled or locked."
  remedy = "Ask an administrator of the tenant."
  needs  = "administrator"
}

hint "*" {
  match  = ["AADSTS50020", "AADSTS50034", "AADSTS50014", "AADSTS51004", "AADSTS500208"]
  cause  = "The account does not belong to this tenant, or is of a kind that the tenant does not take."
  remedy = "Choose another account, set tenant, or let the tenant invite the account as a guest."
  needs  = "configuration"
}

hint "*" {
  match  = ["AADSTS50194"]
  cause  = "The application is for one tenant only, but the connection uses common."
  remedy = "Set tenant to the id of the application's tenant."
  needs  = "configuration"
}

hint "*" {
  match  = ["AADSTS50059", "AADSTS50128", "AADSTS90019", "AADSTS90002"]
  cause  = "The tenant does not exist, is in another cloud, or is missing."
  remedy = "Check the argument tenant."
  needs  = "configuration"
}

hint "*" {
  match  = ["AADSTS90038", "AADSTS900439"]
  cause  = "The tenant is in another national cloud."
  remedy = "Describe the endpoints of that cloud in a provider block."
  needs  = "configuration"
}

hint "*" {
  match  = ["AADSTS90130", "AADSTS9002332", "AADSTS9001023"]
  cause  = "This application or grant cannot be used with common or consumers."
  remedy = "Set tenant to the id of a tenant."
  needs  = "configuration"
}

hint "*" {
  match  = ["AADSTS700016", "AADSTS700011"]
  cause  = "The tenant does not know the application."
  remedy = "Check client_id and tenant."
  needs  = "configuration"
}

hint "*" {
  match  = ["AADSTS7000215", "AADSTS70002"]
  cause  = "The client secret is wrong; often the secret's id was copied instead of its value."
  remedy = "Set client_secret to the value of the secret."
  needs  = "configuration"
}

hint "*" {
  match  = ["AADSTS7000222"]
  cause  = "The client secret has expired."
  remedy = "Make a new secret under Certificates & secrets and set client_secret."
  needs  = "configuration"
}

hint "*" {
  match  = ["AADSTS7000218"]
  cause  = "Microsoft wants a secret: the redirect URI is registered for the platform Web, or public client flows are not allowed."
  remedy = "Switch on \"Allow public client flows\" under Authentication, or set client_secret."
  needs  = "configuration"
}

hint "*" {
  match  = ["AADSTS700025"]
  cause  = "A public client must not send a secret."
  remedy = "Remove client_secret."
  needs  = "configuration"
}

hint "*" {
  match  = ["AADSTS9002326", "AADSTS9002327"]
  cause  = "The redirect URI is registered for another platform than the one in use (single-page or not)."
  remedy = "Register the redirect URI under \"Mobile and desktop applications\"."
  needs  = "configuration"
}

hint "*" {
  match  = ["AADSTS70011", "AADSTS700022", "AADSTS700023", "AADSTS28002", "AADSTS28003", "AADSTS1002012"]
  cause  = "The scopes are not valid together: a token is for one resource, and client credentials take RESOURCE/.default only."
  remedy = "Keep the scopes of one resource in a connection; make another connection for the next."
  needs  = "configuration"
}

hint "*" {
  match  = ["AADSTS54005", "AADSTS501481", "AADSTS700005"]
  cause  = "The code was used already, or in another session."
  remedy = "Run oauthctl apply again."
  needs  = "person"
}

hint "*" {
  match  = ["AADSTS901002"]
  cause  = "The parameter resource belongs to the old v1 endpoints."
  remedy = "Remove resource and name the resource in scopes: RESOURCE/.default."
  needs  = "configuration"
}

hint "*" {
  match  = ["AADSTS50012", "AADSTS700027", "AADSTS50013", "AADSTS500133"]
  cause  = "The client assertion is not valid: wrong key or certificate, or the clock is wrong."
  remedy = "Check the certificate that is registered, and the clock of this machine."
  needs  = "configuration"
}

hint "*" {
  match  = ["AADSTS700211", "AADSTS700213", "AADSTS7002138"]
  cause  = "No federated credential of the application matches issuer and subject of the token; case counts."
  remedy = "Compare issuer, subject and audience of the federated credential with the token's."
  needs  = "configuration"
}

hint "*" {
  match  = ["AADSTS70021", "AADSTS90033", "AADSTS90006", "AADSTS90012", "AADSTS90024", "AADSTS90090", "AADSTS50033", "AADSTS50087", "AADSTS70012", "AADSTS80005", "AADSTS40010", "AADSTS90055", "AADSTS50196"]
  cause  = "Microsoft cannot answer at the moment."
  remedy = "Try again in a few minutes."
  needs  = "retry"
}
