"""The boundary to a browser, and the studio that is served from it: JSON texts in, the command's own JSON texts out."""

from byteor.web.boundary import CALLS as CALLS
from byteor.web.boundary import call as call
from byteor.web.boundary import check as check
from byteor.web.boundary import convert as convert
from byteor.web.boundary import describe as describe
from byteor.web.boundary import diff as diff
from byteor.web.boundary import explain as explain
from byteor.web.boundary import graph as graph
from byteor.web.boundary import hash_ as hash_
from byteor.web.boundary import lower as lower
from byteor.web.boundary import schema as schema
from byteor.web.boundary import version as version
