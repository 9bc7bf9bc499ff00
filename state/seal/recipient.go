package seal

import (
	"errors"
	"fmt"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/ssh"
)

// Recipient is somebody whom a data key can be wrapped for.
type Recipient struct {
	// Name is the canonical form: "age1…", or "ssh-ed25519 AAAA…" without
	// its comment. It is public.
	Name string
	age  age.Recipient
}

// ParseRecipient reads one recipient as it stands in encryption.recipients: an
// age public key (age1…, age1pq1…) or an OpenSSH public key (ssh-ed25519, ssh-rsa).
// The errors say what to write instead and never repeat a private key.
func ParseRecipient(s string) (Recipient, error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return Recipient{}, errors.New("a recipient is empty: write an age public key (age1…) or an ssh public key (ssh-ed25519 AAAA…)")
	case strings.HasPrefix(strings.ToUpper(s), "AGE-SECRET-KEY-"), strings.Contains(s, "PRIVATE KEY"):
		return Recipient{}, errors.New("this is a private key: write the public key that belongs to it (the line \"# public key: age1…\" of an identity file) and replace the private key, it is no longer secret")
	case strings.HasPrefix(s, "ssh-"), strings.HasPrefix(s, "ecdsa-"), strings.HasPrefix(s, "sk-"):
		return parseSSHRecipient(s)
	case strings.HasPrefix(s, "age1pq1"):
		r, err := age.ParseHybridRecipient(s)
		if err != nil {
			return Recipient{}, fmt.Errorf("recipient %s: not a valid age public key (a character wrong or missing)", short(s))
		}
		return Recipient{Name: r.String(), age: r}, nil
	case strings.HasPrefix(s, "age1") && strings.LastIndexByte(s, '1') > len("age1")-1:
		name, _, _ := strings.Cut(strings.TrimPrefix(s, "age1"), "1")
		return Recipient{}, fmt.Errorf("recipient %s: keys of the age plugin %q are not supported: use an age1… key without a plugin, or an ssh key", short(s), short(name))
	case strings.HasPrefix(s, "age1"):
		r, err := age.ParseX25519Recipient(s)
		if err != nil {
			return Recipient{}, fmt.Errorf("recipient %s: not a valid age public key (a character wrong or missing)", short(s))
		}
		return Recipient{Name: r.String(), age: r}, nil
	}
	return Recipient{}, fmt.Errorf("recipient %s: want an age public key (age1…) or an ssh public key (ssh-ed25519 AAAA…, ssh-rsa AAAA…)", short(s))
}

func parseSSHRecipient(s string) (Recipient, error) {
	if strings.ContainsAny(s, "\r\n") {
		return Recipient{}, errors.New("an ssh recipient is one line: write several as several strings")
	}
	pk, _, _, _, err := ssh.ParseAuthorizedKey([]byte(s))
	if err != nil {
		return Recipient{}, fmt.Errorf("recipient %s: not a valid ssh public key: copy the whole line of the .pub file", short(s))
	}
	return sshRecipient(pk)
}

func sshRecipient(pk ssh.PublicKey) (Recipient, error) {
	var (
		r   age.Recipient
		err error
	)
	switch pk.Type() {
	case ssh.KeyAlgoED25519:
		r, err = agessh.NewEd25519Recipient(pk)
	case ssh.KeyAlgoRSA:
		r, err = agessh.NewRSARecipient(pk)
	default:
		return Recipient{}, fmt.Errorf("ssh keys of the type %s cannot encrypt: use ssh-ed25519, ssh-rsa or an age key", pk.Type())
	}
	if err != nil {
		return Recipient{}, fmt.Errorf("ssh recipient: %w", err)
	}
	return Recipient{Name: strings.TrimSpace(string(ssh.MarshalAuthorizedKey(pk))), age: r}, nil
}

// ParseRecipients reads several, drops repetitions and keeps the order. At least one.
func ParseRecipients(list []string) ([]Recipient, error) {
	var out []Recipient
	seen := map[string]bool{}
	for _, s := range list {
		r, err := ParseRecipient(s)
		if err != nil {
			return nil, err
		}
		if !seen[r.Name] {
			seen[r.Name] = true
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no recipient: a state has to be wrapped for somebody")
	}
	if len(out) > maxKeys {
		return nil, fmt.Errorf("%d recipients, at most %d are possible", len(out), maxKeys)
	}
	return out, nil
}

// Short shortens a recipient's name for messages, to the parts that tell it
// from others.
func Short(name string) string { return short(name) }

func short(s string) string {
	head, tail := 12, 8
	kind, rest, ssh := strings.Cut(s, " ")
	if ssh && strings.HasPrefix(kind, "ssh-") {
		head, tail = 0, 12 // all keys of a kind begin alike
		kind, s = kind+" ", strings.TrimSpace(rest)
	} else {
		kind = ""
	}
	if r := []rune(s); len(r) > head+tail+1 {
		s = string(r[:head]) + "…" + string(r[len(r)-tail:])
	}
	return kind + strings.Map(func(r rune) rune {
		if r != '…' && (r < ' ' || r > '~') {
			return '?'
		}
		return r
	}, s)
}
