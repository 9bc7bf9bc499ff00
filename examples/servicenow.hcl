# ServiceNow: read incidents as the person who consents.
#
# Registered on the instance under Machine Identity Console, Inbound integrations,
# or System OAuth, Application Registry. Its redirect URL must be the one below,
# letter by letter: ServiceNow sends what does not match to the first URL that is
# registered, and reports no error.

variable "servicenow_secret" {
  type        = string
  sensitive   = true
  description = "Client secret of the OAuth registration."
}

connection "incidents" {
  provider      = "servicenow"
  instance      = "dev12345" # or the whole host: "itsm.contoso.example"
  client_id     = "5a3c1f20b6c14e3e9e3ad4a9b7d1e0f2"
  client_secret = var.servicenow_secret
  redirect_uris = ["http://localhost:18085/callback"]

  # Without scopes the token may do all that the person may (useraccount). Auth
  # scopes that are set up on the instance are written here:
  # scopes = ["incident_read"]

  # What the registration says, where it is not the default of 1,800 and
  # 8,640,000 seconds.
  token_lifetimes {
    access  = "30m"
    refresh = "100d"
  }
}

# "This is a public client": PKCE instead of a secret. Whether a refresh token
# comes depends on the release of the instance.
connection "desktop" {
  provider      = "servicenow"
  instance      = "dev12345"
  client_id     = "0f7f3d1b2c5a4f7aa0d9c8e7b6a59483"
  redirect_uris = ["http://localhost:18085/callback"]
}

output "incidents_consent_due" {
  value = connection.incidents.refresh_expires_at
}
