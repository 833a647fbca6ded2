"""What a monitoring system is told: figures of the evidence as families of samples. Nothing is judged anew."""

from attestore.report.metrics.families import Family, Kind, Sample, families
from attestore.report.metrics.figures import Figures, GateFigure, Kept, StoreFigure, SystemFigure

__all__ = [
    "Family",
    "Figures",
    "GateFigure",
    "Kept",
    "Kind",
    "Sample",
    "StoreFigure",
    "SystemFigure",
    "families",
]
