/**
 * Images with labels: folders and zip files of them, their pixels on disk, and what is done to them
 * before a model learns from them.
 */
package dev.jformer.data.image;
