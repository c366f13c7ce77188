"""Reads a pubsub <item/> on standard input with Libervia's own parser and prints what it made of it as JSON.

Debian's `libervia-backend` brings the parser. Its plug-ins want a running backend; the two that read a
microblog entry need only these few attributes of it, so they get them here and nothing of theirs is replaced.
"""

import json
import sys

sys.path.insert(0, "/usr/share/libervia")

from twisted.internet import defer  # noqa: E402
from twisted.words.protocols.jabber import jid  # noqa: E402
from twisted.words.xish import domish  # noqa: E402
import sat.core.i18n  # noqa: E402,F401
from sat.plugins import plugin_syntax_wiki_dotclear  # noqa: E402,F401
from sat.plugins.plugin_misc_text_syntaxes import TextSyntaxes  # noqa: E402
from sat.plugins.plugin_xep_0277 import XEP_0277  # noqa: E402


class Anything:
    """Stands for the parts of a backend that register things and are not used in parsing."""

    def __getattr__(self, name):
        return Anything()

    def __call__(self, *args, **kwargs):
        return Anything()


class Trigger:
    def point(self, *args, **kwargs):
        return defer.succeed(True)


class Host(Anything):
    def __init__(self):
        self.plugins = {}
        self.trigger = Trigger()


class Client:
    jid = jid.JID("reader@ejabberd.test/libervia")


def read_item(text):
    items = []
    stream = domish.elementStream()
    stream.DocumentStartEvent = lambda root: items.append(root)
    stream.ElementEvent = lambda element: items[0].addChild(element)
    stream.DocumentEndEvent = lambda: None
    stream.parse(text)
    return items[0]


def main():
    host = Host()
    host.plugins["TEXT_SYNTAXES"] = TextSyntaxes(host)
    parser = XEP_0277.__new__(XEP_0277)
    parser.host = host
    service, node = jid.JID(sys.argv[1]), sys.argv[2]
    result = defer.maybeDeferred(parser.item2mbdata, Client(), read_item(sys.stdin.buffer.read()), service, node)
    result.addCallback(lambda data: print(json.dumps(data)))
    result.addErrback(lambda failure: print(json.dumps({"rejected": failure.getErrorMessage()})))


main()
