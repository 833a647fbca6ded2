"""The record of a run in the forms that other programmes read: DSSE, OSCAL, JUnit, CSV. Nothing is judged anew."""

from attestore.report.exports.dsse import Envelope, Seal
from attestore.report.exports.dsse import encode as encode_envelope
from attestore.report.exports.junit import junit
from attestore.report.exports.oscal import oscal
from attestore.report.exports.record import Record
from attestore.report.exports.tables import What, table

__all__ = ["Envelope", "Record", "Seal", "What", "encode_envelope", "junit", "oscal", "table"]
