// Starts everything; a linked place is gone to last, when the page has its final height.
startThemes();
startPlanner();
startTables();
startFigures();
addEventListener("hashchange", keepView);
if (location.hash.includes("~")) document.getElementById(readView().place)?.scrollIntoView();
