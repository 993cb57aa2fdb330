#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace latchkey::simulator {

/// 64-bit keys to 32-bit values in 12 bytes a slot: a million messages need four such maps, and a node-based map would
/// take most of the memory. Linear probing, at most 70% full; key 0 is not allowed.
class IdMap {
 public:
  std::optional<std::uint32_t> Find(std::uint64_t key) const {
    if (keys_.empty()) return std::nullopt;
    for (std::size_t i = Home(key);; i = (i + 1) & mask_) {
      if (keys_[i] == key) return values_[i];
      if (keys_[i] == 0) return std::nullopt;
    }
  }

  /// Adds or replaces.
  void Set(std::uint64_t key, std::uint32_t value) {
    if ((size_ + 1) * 10 > keys_.size() * 7) Grow();
    for (std::size_t i = Home(key);; i = (i + 1) & mask_) {
      if (keys_[i] == 0) {
        keys_[i] = key;
        ++size_;
      }
      if (keys_[i] == key) {
        values_[i] = value;
        return;
      }
    }
  }

  void Erase(std::uint64_t key) {
    if (keys_.empty()) return;
    std::size_t hole = Home(key);
    while (keys_[hole] != key) {
      if (keys_[hole] == 0) return;
      hole = (hole + 1) & mask_;
    }
    // Move later members of the cluster back, so that no tombstones are needed.
    for (std::size_t i = (hole + 1) & mask_; keys_[i] != 0; i = (i + 1) & mask_) {
      const std::size_t home = Home(keys_[i]);
      if (((i - home) & mask_) >= ((i - hole) & mask_)) {
        keys_[hole] = keys_[i];
        values_[hole] = values_[i];
        hole = i;
      }
    }
    keys_[hole] = 0;
    --size_;
  }

  std::size_t size() const { return size_; }

 private:
  std::size_t Home(std::uint64_t key) const {
    key ^= key >> 32;
    key *= 0x9E3779B97F4A7C15ULL;
    return static_cast<std::size_t>(key >> 20) & mask_;
  }

  void Grow() {
    const std::vector<std::uint64_t> keys = std::move(keys_);
    const std::vector<std::uint32_t> values = std::move(values_);
    const std::size_t capacity = keys.empty() ? 64 : keys.size() * 2;
    keys_.assign(capacity, 0);
    values_.assign(capacity, 0);
    mask_ = capacity - 1;
    size_ = 0;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (keys[i] != 0) Set(keys[i], values[i]);
    }
  }

  std::vector<std::uint64_t> keys_;
  std::vector<std::uint32_t> values_;
  std::size_t mask_ = 0;
  std::size_t size_ = 0;
};

}  // namespace latchkey::simulator
