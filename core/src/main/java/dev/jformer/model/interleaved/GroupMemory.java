package dev.jformer.model.interleaved;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.cache.StateTensors;
import dev.jformer.mixer.cache.TokenHistory;
import dev.jformer.model.Block;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** What one stage remembers of the tokens of one group in decoding. */
final class GroupMemory {
  private final List<TokenMixer.State> local = new ArrayList<>();
  private final TokenHistory tokens;

  /** The latents that the tokens of the group read, [B, m, W]; null in the first group. */
  private Tensor latents;

  GroupMemory(Stage stage, long batch, long size) {
    this.tokens = new TokenHistory(batch, size);
    try {
      for (Block block : stage.local()) {
        local.add(block.mixer().start(batch, size));
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** The states of the local layers, first to last. */
  List<TokenMixer.State> local() {
    return local;
  }

  /** The tokens as they leave the local layers; their order does not matter to their readers. */
  TokenHistory tokens() {
    return tokens;
  }

  /** The latents that the tokens of the group read, [B, m, W]; null in the first group. */
  Tensor latents() {
    return latents;
  }

  /** Begins a group that reads these latents. */
  void begin(Tensor read) {
    clear();
    // Outside of inference mode, so that later steps may run in it or not.
    try (Mode mode = Autograd.noInference()) {
      latents = read.copy().keep();
    }
  }

  /** Forgets everything, as before the first group. */
  void clear() {
    truncate(0);
    forget();
  }

  /** Drops all tokens of the group after the first {@code count}. */
  void truncate(long count) {
    local.forEach(state -> state.truncate(count));
    tokens.truncate(count);
  }

  void select(Tensor rows) {
    local.forEach(state -> state.select(rows));
    tokens.select(rows);
    latents = StateTensors.selected(latents, rows);
  }

  long bytes() {
    long held = latents == null ? 0 : latents.elements() * latents.dtype().bytes();
    return held + tokens.bytes() + local.stream().mapToLong(TokenMixer.State::bytes).sum();
  }

  private void forget() {
    if (latents != null) {
      latents.close();
      latents = null;
    }
  }

  void close() {
    local.forEach(TokenMixer.State::close);
    tokens.close();
    forget();
  }
}
