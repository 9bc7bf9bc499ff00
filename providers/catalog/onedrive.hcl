# OneDrive of personal Microsoft accounts: Microsoft Graph for the authority consumers.
# Sources: https://learn.microsoft.com/onedrive/developer/rest-api/getting-started/graph-oauth,
# https://learn.microsoft.com/entra/identity-platform/supported-accounts-validation.

provider "onedrive" {
  preset = "microsoft"
  title  = "OneDrive (personal Microsoft accounts)"
  docs   = "https://learn.microsoft.com/onedrive/developer/rest-api/getting-started/graph-oauth"

  # Signed in through common, a personal account can end in Graph's "Tenant does
  # not have a SPO license"; and an application that is registered for personal
  # accounts only works nowhere else.
  argument "tenant" {
    default = "consumers"
    pattern = "consumers"
    doc     = "Personal accounts. For OneDrive of work and school accounts use the preset microsoft."
    example = "consumers"
  }

  argument "cloud" {
    default = "public"
    pattern = "public"
    doc     = "Personal accounts live in the public cloud."
    example = "public"
  }

  grants          = ["authorization_code", "device_code", "refresh_token"]
  revocation_note = "Remove the app at https://account.microsoft.com/privacy, under \"Apps and services that can access your data\"."

  hint "unauthorized_client" {
    match  = "not enabled for consumers"
    cause  = "The application is not registered for personal accounts, or the client id is wrong."
    remedy = "In the app registration, set the supported account types to personal Microsoft accounts, alone or with others."
    needs  = "configuration"
  }
}
