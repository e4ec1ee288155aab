package broker

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
)

// passwordRounds is mosquitto_passwd's own default number of PBKDF2 rounds.
const passwordRounds = 101

// writeConfig writes mosquitto.conf and, with a username, the password file; it returns the first one's path.
func writeConfig(cfg Config) (string, error) {
	var s strings.Builder
	fmt.Fprintf(&s, "listener %d 127.0.0.1\n", cfg.Port)
	// Commands are small and must leave at once: no waiting for a fuller packet.
	s.WriteString("set_tcp_nodelay true\n")
	s.WriteString("log_dest stderr\nlog_type error\nlog_type warning\n")
	// Started by root, mosquitto changes to its own user, which cannot read our folder.
	if me, err := user.Current(); err == nil && me.Uid == "0" {
		s.WriteString("user root\n")
	}
	if cfg.Persist {
		fmt.Fprintf(&s, "persistence true\npersistence_location %s%c\nautosave_interval 1\n", cfg.Dir, filepath.Separator)
	} else {
		s.WriteString("persistence false\n")
	}
	if cfg.Username == "" {
		s.WriteString("allow_anonymous true\n")
	} else {
		line, err := passwordLine(cfg.Username, cfg.Password)
		if err != nil {
			return "", err
		}
		pw := filepath.Join(cfg.Dir, "passwords")
		if err := os.WriteFile(pw, []byte(line), 0o600); err != nil {
			return "", fmt.Errorf("broker: write the password file: %w", err)
		}
		fmt.Fprintf(&s, "allow_anonymous false\npassword_file %s\n", pw)
	}
	path := configPath(cfg.Dir)
	if err := os.WriteFile(path, []byte(s.String()), 0o600); err != nil {
		return "", fmt.Errorf("broker: write the configuration: %w", err)
	}
	return path, nil
}

// passwordLine is one line of mosquitto's password file: PBKDF2 with SHA-512 and a salt of 12 bytes.
func passwordLine(name, password string) (string, error) {
	salt := make([]byte, 12)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("broker: salt: %w", err)
	}
	hash, err := pbkdf2.Key(sha512.New, password, salt, passwordRounds, sha512.Size)
	if err != nil {
		return "", fmt.Errorf("broker: hash the password: %w", err)
	}
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("%s:$7$%d$%s$%s\n", name, passwordRounds, b64(salt), b64(hash)), nil
}
