package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Person is the account that consents.
type Person struct {
	Subject string `json:"sub,omitempty"`
	Name    string `json:"name,omitempty"`
	Email   string `json:"email,omitempty"`
}

// personAt makes up the person at an address. The same address is always the
// same person.
func personAt(address string) Person { return Person{Email: address}.complete() }

// complete fills in what is missing: a name from the address, a subject that
// belongs to it.
func (p Person) complete() Person {
	if p.Email == "" {
		p.Email = strings.ToLower(strings.ReplaceAll(p.Name, " ", ".")) + "@sandbox.example"
	}
	if p.Name == "" {
		local, _, _ := strings.Cut(p.Email, "@")
		words := strings.FieldsFunc(local, func(r rune) bool { return r == '.' || r == '_' || r == '-' || r == '+' })
		for i, w := range words {
			first, n := utf8.DecodeRuneInString(w)
			words[i] = string(unicode.ToUpper(first)) + w[n:]
		}
		p.Name = strings.Join(words, " ")
	}
	if p.Subject == "" {
		sum := sha256.Sum256([]byte(strings.ToLower(p.Email)))
		p.Subject = hex.EncodeToString(sum[:8])
	}
	return p
}

// people are the accounts that the login page offers; the first is preselected:
// the one that the request names, else the one of the options.
func (s *Server) people(hint string) []Person {
	list := []Person{s.o.Person}
	for _, p := range []Person{
		{Name: "Robin Example", Email: "robin@sandbox.example"},
		{Name: "Kim Sample", Email: "kim@sandbox.example"},
	} {
		if !strings.EqualFold(p.Email, s.o.Person.Email) {
			list = append(list, p.complete())
		}
	}
	if !isAddress(hint) {
		return list
	}
	for i, p := range list {
		if strings.EqualFold(p.Email, hint) {
			list[0], list[i] = list[i], list[0]
			return list
		}
	}
	return append([]Person{personAt(hint)}, list...)
}

// isAddress reports whether somebody can sign in under that name: an e-mail
// address or a user name.
func isAddress(s string) bool {
	if s == "" || len(s) > 200 || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsGraphic(r) || unicode.IsSpace(r) {
			return false
		}
	}
	return true
}
