package quirk

import (
	"encoding/json"
	"strings"
)

// aadsts is for Microsoft Entra ID, whose descriptions are
// "AADSTS50011: …. Trace ID: … Correlation ID: … Timestamp: …"; the code is in
// error_codes too:
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
func aadsts(m *message) bool {
	if m.str("error") == "" {
		return false
	}
	was := m.str("error_description")
	text := aadstsWords(was)
	if !strings.Contains(text, "AADSTS") {
		var codes []json.Number
		if json.Unmarshal(m.members["error_codes"], &codes) == nil && len(codes) > 0 {
			text = strings.TrimSuffix("AADSTS"+codes[0].String()+": "+text, ": ")
		}
	}
	if text == was {
		return false
	}
	m.set("error_description", text)
	return true
}

// aadstsWords keeps the sentence, and the identifier that Microsoft's support asks for.
func aadstsWords(description string) string {
	before, trace, ok := strings.Cut(description, "Trace ID:")
	if !ok {
		return description
	}
	text := strings.TrimSpace(before)
	if id := strings.Fields(trace); len(id) > 0 {
		text += " (trace id " + id[0] + ")"
	}
	return text
}
