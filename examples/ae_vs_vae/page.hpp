// What of a run goes into report.html. It chooses; report.hpp has the forms, and the page the looks.
#pragma once

#include "data.hpp"
#include "findings.hpp"
#include "options.hpp"
#include "report.hpp"

report::Report page_of(const Findings& findings, const Data& data, const Options& options);
