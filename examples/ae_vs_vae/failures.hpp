// What of a run's results could not be made or written: each failure costs one result, and the program's exit status 0.
// Errors which leave nothing to show are exceptions of their own.
#pragma once

#include <exception>
#include <new>
#include <string>
#include <utility>
#include <vector>

class Failures {
   public:
    /// Does the work. False if it throws; the reason is kept, after `what`.
    template <class Work>
    bool attempt(const std::string& what, const Work& work) {
        try {
            work();
            return true;
        } catch (const std::bad_alloc&) {
            add(what + ": out of memory");
        } catch (const std::exception& error) {
            add(what + ": " + error.what());
        }
        return false;
    }
    void add(std::string failure) { list_.push_back(std::move(failure)); }

    const std::vector<std::string>& list() const { return list_; }

   private:
    std::vector<std::string> list_;
};
