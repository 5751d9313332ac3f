/**
 * Images with labels: folders and zip files of them, their pixels on disk, augmentation and
 * batches. Start with {@link dev.jformer.data.image.ImageSource} and {@link
 * dev.jformer.data.image.ImageSampler}.
 */
package dev.jformer.data.image;
