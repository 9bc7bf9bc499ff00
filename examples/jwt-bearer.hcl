# Service accounts: a key signs an assertion, and the server gives a token for it.
# Nobody consents, and every renewal signs a new one.
#
#   GOOGLE_KEY_PEM="$(jq -r .private_key key.json)" oauthctl apply
#
# docs/client-authentication.md says where to register the keys.

# The email of the service account is the client_id.
connection "robot" {
  provider  = "google"
  client_id = "robot@example-project.iam.gserviceaccount.com"
  scopes    = ["https://www.googleapis.com/auth/cloud-platform"]

  grant "jwt_bearer" {
    private_key = env("GOOGLE_KEY_PEM")
    key_id      = "0123456789abcdef0123456789abcdef01234567"
  }
}

# With domain-wide delegation, the robot acts for a person.
connection "calendar" {
  provider  = "google"
  client_id = "robot@example-project.iam.gserviceaccount.com"
  scopes    = ["https://www.googleapis.com/auth/calendar.readonly"]

  grant "jwt_bearer" {
    private_key = env("GOOGLE_KEY_PEM")
    subject     = "alice@contoso.example"
  }
}

connection "crm" {
  provider  = "salesforce"
  client_id = "3MVG9exampleconsumerkey"

  grant "jwt_bearer" {
    private_key = env("SALESFORCE_KEY_PEM")
    subject     = "integration@contoso.example"
  }
}

connection "signatures" {
  provider  = "docusign"
  host      = "account-d.docusign.com"
  client_id = "11111111-2222-3333-4444-555555555555"
  scopes    = ["signature", "impersonation"]

  grant "jwt_bearer" {
    private_key = env("DOCUSIGN_KEY_PEM")
    subject     = "66666666-7777-8888-9999-000000000000"
  }
}
