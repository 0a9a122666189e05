"""Figures, the HTML page, tables."""

from profundus.report.comparison import build_comparison
from profundus.report.comparison_content import ComparisonContent, SubjectAnswers
from profundus.report.content import PageContent, SubjectContent, TrainingCurve
from profundus.report.figures import paper_figures
from profundus.report.methods import methods_paragraph
from profundus.report.page import build_page
from profundus.report.tables import score_table
from profundus.report.verdict import Finding, Verdict, verdict

__all__ = [
    "ComparisonContent",
    "Finding",
    "PageContent",
    "SubjectAnswers",
    "SubjectContent",
    "TrainingCurve",
    "Verdict",
    "build_comparison",
    "build_page",
    "methods_paragraph",
    "paper_figures",
    "score_table",
    "verdict",
]
