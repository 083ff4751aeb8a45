"""The names that `freeswitch-conf/` and this package share. A test holds the two together."""

CONTEXT = "hotline"
AGAIN = "hotline-again"  # the extension in which a leg meets us once more, after a talk
DIALLED = "hotline-dialled"  # the extension in which a leg that we dialled meets us when it is answered
TAKEN_OVER = "hotline-taken-over"  # the extension that connects a leg we took over once more, if its first socket ends
LEFT = "hotline-left"  # the extension of a leg that waits for us again, because its socket has ended
WAIT = "hotline-wait"  # the fallback: where callers wait for an appliance that is not there
MEETS_AGAIN = f"{AGAIN}:XML:{CONTEXT}"
# What the dialplan sets on every leg of ours, so that it meets us again after a talk.
COME_BACK = (
    f"hangup_after_bridge=false;uuid_bridge_park_on_cancel=true;rdnis={AGAIN};transfer_after_bridge={MEETS_AGAIN}"
)
OWN_EXTENSIONS = ("hotline-", "set:", "socket:")  # how a destination begins that nobody dialled
TRANSFER = "hotline-transfer"  # the context in which a transferred leg goes on
EVERY_KEY = "0123456789*#ABCD"  # stops what is played: the dialplan's setting, until we ask for another
DOMAIN = "hotline"  # the SIP domain that agents' phones register in
AGENTS = "agents"  # the SIP profile of the agents' phones
TRUNK = "trunk"  # the SIP profile of the outside world

OURS = "hotline"  # channel variable: "caller" or "dialled", on every leg that is ours
ACCOUNT = "hotline_account"  # the authenticated account of an agent's phone that calls us
CONTROLLER = "hotline_controller"  # the address of who took the leg over
EPOCH = "hotline_epoch"  # who controls the leg, once it has been adopted
REMEMBERED = "hotline_r_"  # what `Call.remember` keeps
