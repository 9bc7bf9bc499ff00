package sqlite

import "testing"

func TestFileSystemsByTheirNumbers(t *testing.T) {
	for magic, want := range map[int64]string{
		0x6969: "NFS!", 0xFF534D42: "SMB!", 0xFE534D42: "SMB!", -0xacb2be: "SMB!", 0x517B: "SMB!", 0x01021997: "9p", 0x65735546: "fuse.x",
		0xEF53: "", 0x9123683E: "", 0x58465342: "", 0x01021994: "", 0x794c7630: "",
	} {
		name, network := kindOf(magic, func() string { return "fuse.x" })
		if network {
			name += "!"
		}
		if name != want {
			t.Errorf("%#x is %q, want %q", magic, name, want)
		}
	}
	if _, network := kindOf(0x65735546, func() string { return "fuse.sshfs" }); !network {
		t.Error("sshfs is no network")
	}
}

func TestTheMountOfADirectory(t *testing.T) {
	const info = `22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:40 / /home/a\040b rw shared:1 - fuse.sshfs host: rw
31 22 0:41 / /home/a\040b/deep rw - fuse.rclone x rw
`
	for dir, want := range map[string]string{"/home": "ext4", "/home/a b/c": "fuse.sshfs", "/home/a b": "fuse.sshfs", "/home/a b/deep/er": "fuse.rclone", "/home/a bc": "ext4"} {
		if got := mountTypeIn(info, dir); got != want {
			t.Errorf("%s: %s, want %s", dir, got, want)
		}
	}
}
