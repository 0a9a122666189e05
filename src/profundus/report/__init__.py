"""Figures, the HTML page, tables."""

from profundus.report.content import PageContent, SubjectContent, TrainingCurve
from profundus.report.methods import methods_paragraph
from profundus.report.page import build_page
from profundus.report.tables import score_table
from profundus.report.verdict import Finding, Verdict, verdict

__all__ = [
    "Finding",
    "PageContent",
    "SubjectContent",
    "TrainingCurve",
    "Verdict",
    "build_page",
    "methods_paragraph",
    "score_table",
    "verdict",
]
