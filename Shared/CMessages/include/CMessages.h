// Replaced by proto/generate.
#pragma once
