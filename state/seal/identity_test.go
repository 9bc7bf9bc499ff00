package seal

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"
)

// sshPair is a private key in OpenSSH's format and its public line.
func sshPair(t *testing.T, key crypto.PrivateKey, passphrase string) (private, public string) {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(key, "comment")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "comment", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block)), strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))) + " alice@example.com"
}

func ed25519Key(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestEveryKindOfIdentityOpensWhatIsWrappedForIt(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pq, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	ageText, ageRecipient, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	edPrivate, edPublic := sshPair(t, ed25519Key(t), "")
	rsaPrivate, rsaPublic := sshPair(t, rsaKey, "")
	for name, pair := range map[string][2]string{
		"age":                     {ageText, ageRecipient},
		"age, Windows line ends":  {strings.ReplaceAll(ageText, "\n", "\r\n"), ageRecipient},
		"age, post-quantum":       {pq.String(), pq.Recipient().String()},
		"ssh-ed25519":             {edPrivate, edPublic},
		"ssh-ed25519, no newline": {strings.TrimSpace(edPrivate), edPublic},
		"ssh-rsa":                 {rsaPrivate, "  " + rsaPublic + "\n"},
	} {
		ids, err := ParseIdentities(pair[0])
		if err != nil || len(ids) != 1 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		r, err := ParseRecipient(pair[1])
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, ok := RecipientOf(ids[0]); !ok || got != r.Name || strings.Contains(got, "alice") {
			t.Errorf("%s: identity of %q, recipient %q", name, got, r.Name)
		}
		box := newBox(t)
		h := NewHeader(box)
		w, err := box.Wrap(r)
		if err != nil {
			t.Fatal(err)
		}
		h.Keys = []Wrapped{w}
		if h, err = ParseHeader(h.Encode(box)); err != nil {
			t.Fatal(err)
		}
		if _, err := Unwrap(h, ids); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIdentitiesThatCannotBeUsedSayWhy(t *testing.T) {
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	encrypted, public := sshPair(t, ed25519Key(t), "hunter2")
	ec, _ := sshPair(t, ecKey, "")
	plain, _ := sshPair(t, ed25519Key(t), "")
	text, recipient, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	key := strings.Split(text, "\n")[1]
	for name, test := range map[string]struct{ text, want string }{
		"empty":               {" \n", "empty"},
		"only comments":       {"# public key: x\n", "only comments"},
		"a public key":        {recipient, "public key"},
		"an ssh public key":   {public, "public key"},
		"a passphrase":        {encrypted, "passphrase"},
		"ecdsa":               {ec, "cannot decrypt"},
		"two ssh keys":        {plain + plain, "more than one"},
		"a cut key":           {plain[:len(plain)/2], "damaged"},
		"a wrong PEM":         {"-----BEGIN CERTIFICATE-----\naGk=\n-----END CERTIFICATE-----\n", "cannot be read"},
		"a wrong character":   {key[:len(key)-1] + "b", "line 1"},
		"text":                {"# x\n\nhunter2", "line 3"},
		"a plugin":            {"AGE-PLUGIN-YUBIKEY-1QQQQ", "plugin"},
		"an encrypted file":   {"-----BEGIN AGE ENCRYPTED FILE-----\n", "passphrase"},
		"an encrypted binary": {"age-encryption.org/v1\n-> scrypt", "passphrase"},
	} {
		_, err := ParseIdentities(test.text)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q in it", name, err, test.want)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") || strings.Contains(strings.ToUpper(err.Error()), key[:30]) {
			t.Errorf("%s: the error repeats the text: %v", name, err)
		}
	}
	if _, err := ParseIdentities(encrypted); !errors.Is(err, ErrPassphrase) {
		t.Errorf("passphrase: %v", err)
	}
}

func TestRecipientsThatCannotBeUsedSayWhy(t *testing.T) {
	text, good, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	key := strings.Split(text, "\n")[1]
	small, err := ssh.ParsePrivateKey([]byte(smallRSA(t)))
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ec := sshPair(t, ecKey, "")
	private, public := sshPair(t, ed25519Key(t), "")
	for name, test := range map[string]struct{ text, want string }{
		"empty":              {"", "empty"},
		"a private key":      {key, "private key"},
		"lower case":         {strings.ToLower(key), "private key"},
		"an ssh private key": {private, "private key"},
		"a typo":             {good[:20] + "b" + good[21:], "character"},
		"cut":                {good[:40], "character"},
		"a plugin":           {"age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t", `plugin "yubikey"`},
		"ecdsa":              {ec, "ecdsa-sha2-nistp256"},
		"a small RSA key":    {string(ssh.MarshalAuthorizedKey(small.PublicKey())), "too small"},
		"half an ssh key":    {"ssh-ed25519", ".pub"},
		"a cut ssh key":      {public[:40], ".pub"},
		"two lines":          {public + "\n" + public, "one line"},
		"a name":             {"alice@example.com", "age public key"},
		"control characters": {"\x1b[31mred", "age public key"},
	} {
		_, err := ParseRecipient(test.text)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q in it", name, err, test.want)
			continue
		}
		if strings.Contains(err.Error(), key[20:40]) || strings.ContainsRune(err.Error(), 0x1b) {
			t.Errorf("%s: the error repeats what it should not: %v", name, err)
		}
	}
	list, err := ParseRecipients([]string{good, public, " " + good})
	if err != nil || len(list) != 2 || list[0].Name != good {
		t.Errorf("a list with a repetition: %d, %v", len(list), err)
	}
	if _, err := ParseRecipients(nil); err == nil {
		t.Error("no recipients were accepted")
	}
}

func smallRSA(t *testing.T) string {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	private, _ := sshPair(t, key, "")
	return private
}

func TestShortNamesTellPeopleApart(t *testing.T) {
	for in, want := range map[string]string{
		"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kudzpgs8qqqqqqq": "age1ql3z7hjy…8qqqqqqq",
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGx4eHh4":                   "ssh-ed25519 …AAAAIGx4eHh4",
		"alice":         "alice",
		"a\x1b[31mlice": "a?[31mlice",
	} {
		if got := Short(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}
