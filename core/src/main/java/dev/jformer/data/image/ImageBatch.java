package dev.jformer.data.image;

import dev.jformer.tensor.Tensor;

/**
 * A batch of images and their classes.
 *
 * @param images float32 [B, 3, S, S], 0 to 1
 * @param targets float32 [B, K], the share of each class; rows sum to 1
 */
public record ImageBatch(Tensor images, Tensor targets) {}
