"""Every code there is: importing this page brings the tables of all layers below it.

Rule 1. A table needs the standard library alone, so that a page can explain what only a machine can find.
"""

from byteor import lower as lower
from byteor.abi import findings as abi
from byteor.edges import findings as edges
from byteor.exec import findings as exec
from byteor.lanes import findings as lanes
from byteor.place import rules as place
from byteor.plant import findings as plant
from byteor.transport import findings as transport

TABLES = (abi, edges, exec, lanes, place, plant, transport)
