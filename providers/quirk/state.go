package quirk

// noState is for servers that document no state parameter and do not hand one
// back, such as SharePoint's OAuthAuthorize.aspx. What binds an answer to its
// request then is said in the plan, with what it cannot do.
func noState(d *Draft) []Finding {
	if d.Grant != "authorization_code" {
		return nil
	}
	d.NoState = true
	note := "the server hands no state back: an answer counts only at this redirect URI, for the one sign-in that is open, within 5 minutes. " +
		"Somebody who can sign in to the same application could still pass off an answer of their own: "
	if d.Paste {
		note += "paste the address of the page that this run opened, and of no other"
	} else {
		note += "follow no link to the redirect URI while this run waits"
	}
	d.Notes = append(d.Notes, note)
	return nil
}
