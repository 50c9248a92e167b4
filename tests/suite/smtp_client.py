"""An outside client for the SMTP server: Python's smtplib, which is not ours.

Called with the port; prints nothing, and ends with a traceback and a non-zero status when an
answer is not the expected one.
"""

import smtplib
import ssl
import sys
from email.message import EmailMessage


def expect(actual, wanted):
    if actual != wanted:
        raise AssertionError(f"expected {wanted!r}, got {actual!r}")


def message(subject, body):
    mail = EmailMessage()
    mail["From"] = "Amy <amy@example.com>"
    mail["To"] = "ben@example.org"
    mail["Subject"] = subject
    mail.set_content(body)
    return mail


def main(port):
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE

    # Plain, with a login, several mails on one connection, dots and letters of all kinds.
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.login("amy", "secret")
        expect(client.send_message(message("python plain", ".\n..\n.dot\n")), {})
        expect(client.send_message(message("python 驗證碼", "您的驗證碼是 482913\n")), {})
        expect(client.verify("amy@example.com")[0], 252)
        expect(client.noop()[0], 250)
        expect(client.rset()[0], 250)
        expect(client.docmd("HELP")[0], 214)
        expect(client.docmd("NONSENSE")[0], 500)

    # Under STARTTLS, a null sender, an address beyond ASCII, a refused recipient.
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.starttls(context=trusting)
        client.ehlo()
        expect(client.has_extn("starttls"), False)
        expect(client.mail("", ["SMTPUTF8"])[0], 250)
        expect(client.rcpt("用戶@example.org", ["NOTIFY=NEVER"])[0], 250)
        expect(client.rcpt("")[0], 501)
        expect(client.data(b"Subject: python tls\r\n\r\nhi\r\n")[0], 250)

    # Too large, by SIZE= and without it; the connection stays of use.
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.ehlo()
        limit = int(client.esmtp_features["size"])
        expect(client.mail("amy@example.com", [f"SIZE={limit + 1}"])[0], 552)
        expect(client.mail("amy@example.com")[0], 250)
        expect(client.rcpt("ben@example.org")[0], 250)
        expect(client.data(b"x" * 70 + b"\r\n" + b"0123456789\r\n" * (limit // 10))[0], 552)
        expect(client.send_message(message("python after", "still here\n")), {})


if __name__ == "__main__":
    main(int(sys.argv[1]))
