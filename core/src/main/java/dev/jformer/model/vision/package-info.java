/** Models that classify images. */
package dev.jformer.model.vision;
